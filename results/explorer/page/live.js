// The app alone: what the page asks of its own server, and how Dash brings what is new.
{
  explorer.live = true;
  const get = async path => {
    const answer = await fetch(path);
    if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
    return answer.json();
  };
  const trouble = error => {
    const box = document.getElementById('trouble');
    box.textContent = `The explorer’s server didn’t answer (${error.message}).`;
    box.hidden = false;
  };
  let known = null,
    answered = null;
  const answers = async stamp => {
    if (stamp === answered) return;
    answered = stamp;
    explorer.take_answers(await get('answers'));
    const faces = get('faces').then(explorer.take_faces); // a table of pixels takes a while to read
    const written = await get('written');
    explorer.take_written(written);
    explorer.take_written({...written, searches: await get('searches')}); // half a minute for a thousand trials
    await faces;
  };

  get('payload')
    .then(news => {
      known = news;
      explorer.take_payload(news);
    })
    .catch(trouble);
  // Dash's own scripts come after the first picture and the views: they are only needed for what is new.
  explorer.later = () => {
    const tags = [...document.getElementById('dash').content.querySelectorAll('script[src]')];
    for (const {attributes} of tags) {
      const made = document.createElement('script');
      made.async = false;
      for (const {name, value} of attributes) made.setAttribute(name, value);
      document.body.append(made);
    }
    answers(known?.answers).catch(trouble);
  };
  // Called by Dash with what its callback returned; gives back what the page now knows.
  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    explorer: {
      take: news => {
        if (news) {
          known = {
            stamp: news.stamp,
            newest: news.payload ? news.payload.newest : known?.newest || 0,
            answers: news.answers,
          };
          explorer.take_payload(news);
          if (news.payload && news.payload.total !== explorer.data.epochs.epoch.length)
            known = {...known, stamp: null, newest: 0};
          if (news.answers !== answered) answers(news.answers).catch(trouble);
        }
        return {stamp: known?.stamp, newest: known?.newest || known?.payload?.newest || 0};
      },
    },
  });
}
