// Tags and notes on trials: a person's words beside the study's own facts. The app keeps them in the study's folder; in
// a saved file they can be read.
{
  const {element} = explorer;
  const noted = i => {
    const {trials, studies, key} = explorer.data,
      study = trials.study[i];
    return {study, name: key[i].slice(key[i].indexOf(':') + 1), ...studies[study].notes[trials.trial_id[i]]};
  };
  const words = text => [
    ...new Set(
      text
        .split(',')
        .map(tag => tag.trim())
        .filter(Boolean),
    ),
  ];

  explorer.note_fields = i => {
    const own = noted(i),
      began = {tags: own.tags || [], note: own.note || ''}, // what another tab must not have changed meanwhile
      tags = own.tags || [];
    if (!explorer.live)
      return element(
        'p',
        {class: own.note || tags.length ? '' : 'quiet'},
        own.note || tags.length
          ? `${tags.length ? `Tags: ${tags.join(', ')}. ` : ''}${own.note || ''}`
          : 'No tags and no note. They are written in the live app.',
      );
    const field = element('input', {type: 'text', value: tags.join(', '), placeholder: 'tags, with commas'}),
      note = element('textarea', {rows: 2, placeholder: 'a note'}, own.note || ''),
      said = element('span', {class: 'quiet', 'aria-live': 'polite'});
    const save = async () => {
      said.textContent = 'Saving …';
      try {
        const answer = await fetch('notes', {
          method: 'POST',
          headers: {'Content-Type': 'application/json'},
          body: JSON.stringify({
            study: own.study,
            trial: own.name,
            tags: words(field.value),
            note: note.value,
            began,
          }),
        });
        if (!answer.ok) throw new Error(await answer.text());
        const kept = await answer.json(),
          {tags: now = [], note: text = ''} = kept[own.name] || {};
        Object.assign(began, {tags: now, note: text});
        explorer.data.studies[own.study].notes = kept;
        explorer.retell();
        said.textContent = 'Saved in the study’s folder.';
      } catch (error) {
        said.textContent = `It couldn’t be saved: ${error.message}`;
      }
    };
    return element(
      'div',
      {class: 'notes-of'},
      element('label', {}, 'Tags ', field),
      element('label', {}, 'Note ', note),
      element('button', {onclick: save}, 'Save note'),
      said,
    );
  };
  // Table and filter anew, after a note of this page's own.
  explorer.retell = () => {
    Object.assign(explorer.data.trials, explorer.noted(explorer.data.trials, explorer.data.studies));
    explorer.change({}, {replace: true});
  };
}
