// What may be compared with what. Accuracies stand side by side within one stage of one study, on one set of images; a
// correlation is of one network besides. What isn't comparable is left out and said, or named apart.
{
  const {element} = explorer;
  const ENOUGH = 5; // trials of one network of one study, as results.facts.search

  // The trials that figures of hyperparameters are about: a study's search, or, where it had none, all it trained. A
  // confirmed copy of the best would count the best twice.
  let cache = {};
  function compared() {
    const {data} = explorer;
    if (cache.data === data) return cache.mask;
    const {stage, study} = data.trials,
      searched = new Set(Array.from(study).filter((_, i) => stage[i] === 'search'));
    cache = {data, mask: Uint8Array.from(stage, (name, i) => name === 'search' || !searched.has(study[i]))};
    return cache.mask;
  }
  explorer.compared = i => compared()[i] === 1;

  // value on val at the epoch of comparison, absent for what is left out.
  let told = {};
  explorer.compared_accuracy = () => {
    const {data} = explorer,
      epoch = explorer.epoch();
    if (told.data !== data || told.epoch !== epoch) {
      const values = explorer.at(data, explorer.judged, epoch);
      told = {data, epoch, values: values.map((value, i) => (explorer.compared(i) ? value : NaN))};
    }
    return told.values;
  };

  // The selected trials by study and network: [{study, model, name, trials}], named with the study where there are several.
  explorer.groups = (test = explorer.compared) => {
    const {data} = explorer,
      found = new Map(),
      several = data.studies.length > 1;
    for (let i = 0; i < data.n; i++) {
      if (!explorer.selected[i] || !test(i)) continue;
      const study = data.trials.study[i],
        model = data.trials.model[i],
        key = `${study} ${model}`;
      if (!found.has(key))
        found.set(key, {
          study,
          model,
          name: several ? `${model} in ${data.studies[study].name}` : model,
          trials: [],
        });
      found.get(key).trials.push(i);
    }
    return [...found.values()].sort((a, b) => a.study - b.study || (a.model < b.model ? -1 : 1));
  };
  explorer.selected_studies = test => [...new Set(explorer.groups(test).map(group => group.study))];

  // How accuracy follows a hyperparameter within one group: rank correlation of numbers, eta squared of words; NaN where
  // it can't be told (few trials, one value, or most of them on a plateau).
  explorer.follows = (axis, trials, y) => {
    const there = trials.filter(
        i => !Number.isNaN(y[i]) && axis.values[i] !== null && !Number.isNaN(axis.values[i]),
      ),
      values = there.map(i => axis.values[i]),
      found = there.map(i => y[i]);
    const few = there.length < ENOUGH || new Set(values).size < 2 || explorer.on_plateau(found);
    const how = axis.text ? explorer.eta_squared : explorer.spearman;
    return {
      trials: there.length,
      words: axis.text,
      degrees: axis.text ? new Set(values).size - 1 : 1,
      worth: few ? NaN : how(values, found),
    };
  };
  // Both as adjusted R² of the ranks, so that they can be set side by side: a correlation's share is its square,
  // and many values explain more by chance. As results.facts.search.adjusted.
  explorer.follows.share = ({words, worth, trials, degrees}) => {
    const left = trials - 1 - degrees;
    return left > 0 ? 1 - ((1 - (words ? worth : worth * worth)) * (trials - 1)) / left : NaN;
  };
  explorer.follows.enough = ENOUGH;
  explorer.follows.told = ({words, worth, trials}) =>
    words
      ? `η² ${explorer.fixed(100 * worth, 0)} %, ${trials} trials`
      : `${worth < 0 ? '−' : '+'}${Math.abs(worth).toFixed(2)}, ${trials} trials`;

  // At which epoch, of how many, and what was left out.
  explorer.when = () => {
    const {data} = explorer,
      y = explorer.compared_accuracy();
    let there = 0,
      inside = 0;
    for (let i = 0; i < data.n; i++)
      if (explorer.selected[i] && explorer.compared(i)) {
        inside++;
        if (!Number.isNaN(y[i])) there++;
      }
    const left = explorer.count_selected - inside;
    return [
      explorer.epoch()
        ? `Compared at epoch ${explorer.epoch()}, which ${explorer.count(there)} of the ${explorer.count(inside)} ${left ? 'compared' : 'selected'} reached.`
        : 'Each at its final epoch: budgets differ, so trials that were stopped early are not comparable.',
      left
        ? `Left out: ${explorer.count(left)} confirmed ${left === 1 ? 'trial' : 'trials'}, which would count the best twice.`
        : '',
      explorer.apart(),
    ]
      .filter(Boolean)
      .join(' ');
  };
  // Studies whose accuracies aren't comparable, in a sentence; empty for one. `test`: which trials are compared.
  explorer.apart = test => {
    const {studies} = explorer.data,
      chosen = explorer.selected_studies(test);
    if (chosen.length < 2) return '';
    const of = number => studies[number],
      clean = new Set(chosen.map(number => of(number).without_copies)).size > 1,
      val = number => `${of(number).digest} ${of(number).val_images} ${of(number).without_copies}`,
      same = new Set(chosen.map(val)).size === 1;
    const images = number =>
      `${of(number).name} ${explorer.count(of(number).val_images)}${clean ? (of(number).without_copies ? ' without copies of training images' : ' with copies') : ''}`;
    const judged = same
      ? 'on the same val images'
      : `on different val images (${explorer.listed(chosen.map(images))})`;
    return `${chosen.length} studies, evaluated ${judged}: compare within one.`;
  };
  // A word and a way out, in the place of what would pool studies.
  explorer.one_study = box => {
    box.replaceChildren(
      element(
        'p',
        {class: 'quiet'},
        'Several studies are selected, and the best of a cell would be the best of unlike ones. Choose one:',
      ),
      element(
        'div',
        {class: 'controls'},
        explorer.selected_studies().map(number => {
          const {name} = explorer.data.studies[number];
          return element('button', {onclick: () => explorer.brush('study', {values: [name]})}, name);
        }),
      ),
    );
  };
}
