// The app alone: what the page asks of its own server, and how Dash brings what is new. Whatever isn't answered is said
// and asked again.
{
  explorer.live = true;
  const AGAIN = 5000, // ms until what wasn't answered is asked again
    SHARE = 20, // what takes long is asked anew after so many times as long as it took
    SILENT = 15000; // ms without a word from Dash's poll after which live updates have stopped
  const wait = ms => new Promise(done => setTimeout(done, ms));
  const get = async path => {
    const answer = await fetch(path);
    if (answer.ok) return answer.json();
    // a person's mistake; only the page's first question would never be put again, as by news of other files
    throw Object.assign(new Error(await answer.text()), {final: answer.status === 409 && path !== 'payload'});
  };
  // What the server didn't answer, by what was asked of it.
  const troubles = new Map();
  const tell = (what, sentence) => {
    if (sentence) troubles.set(what, sentence);
    else troubles.delete(what);
    const box = document.getElementById('silence');
    box.textContent = [...troubles.values()].join(' ');
    box.hidden = !troubles.size;
  };
  // Asks until it is answered; `wanted` says whether the answer would still be of use.
  const ask = async (path, take, wanted = () => true) => {
    while (wanted()) {
      try {
        const told = await get(path);
        tell(path, '');
        if (wanted()) take(told);
        return;
      } catch (error) {
        tell(
          path,
          `The explorer’s server didn’t answer (${path}: ${error.message}).${error.final ? '' : ' It is asked again.'}`,
        );
        if (error.final) return;
        await wait(AGAIN);
      }
    }
  };
  let known = null,
    asked = null;
  const answers = async stamp => {
    if (stamp === asked) return;
    asked = stamp;
    const current = () => asked === stamp;
    await ask('answers', explorer.take_answers, current);
    ask('faces', explorer.take_faces, current); // a table of pixels takes a while to read
  };
  // What is written of trials and epochs is asked whenever they change, but is at most a SHAREth of the server's work:
  // of a large study it takes seconds, its searches half a minute, and an epoch may end every second.
  const follow = (path, take) => {
    let shown = null,
      busy = false;
    return async () => {
      if (busy) return;
      busy = true;
      while (shown !== known.stamp && !known.trouble) {
        const began = performance.now();
        shown = known.stamp;
        await ask(path, told => take(told, shown === known.stamp));
        await wait(Math.max(AGAIN, SHARE * (performance.now() - began)));
      }
      busy = false;
    };
  };
  const searches = follow('searches', told => explorer.take_written({searches: told})), // takes longest
    views = follow('written', ({answer, study, ...rest}, current) => {
      // a poll that came meanwhile brought these two anew
      explorer.take_written(current || known.waits ? {answer, study, ...rest} : rest);
      searches();
    });

  ask('payload', news => {
    known = news;
    explorer.take_payload(news);
  });
  // What of the first screen takes seconds to work out.
  explorer.soon = () => known.waits && ask('first', ({answer}) => explorer.take_written({answer}));
  // Dash's own scripts come after the first picture and the views: they are only needed for what is new. Behind a
  // proxy the page lies below a path that Dash doesn't know: its own place is that of the page.
  explorer.later = () => {
    const here = new URL('.', document.baseURI).pathname,
      config = document.getElementById('_dash-config'),
      told = JSON.parse(config.textContent),
      {requests_pathname_prefix: root} = told;
    config.textContent = JSON.stringify({...told, requests_pathname_prefix: here});
    const tags = [...document.getElementById('dash').content.querySelectorAll('script[src]')];
    for (const {attributes} of tags) {
      const made = document.createElement('script');
      made.async = false;
      for (const {name, value} of attributes)
        made.setAttribute(
          name,
          name === 'src' && value.startsWith(root) ? here + value.slice(root.length) : value,
        );
      made.addEventListener('error', () =>
        tell('scripts', `Nothing new will appear by itself: ${made.getAttribute('src')} couldn’t be loaded.`),
      );
      document.body.append(made);
    }
    heard();
    setInterval(listen, SILENT / 5);
    if (known) answers(known.answers).then(views);
  };
  // Dash's poll brings a word each time, news or not, and its clock stands until it does: after an answer that failed or
  // never came it's this page that lets it run again.
  let last = null,
    urged = null;
  const heard = () => {
    last = urged = Date.now();
    tell('poll', '');
  };
  const listen = () => {
    if (document.hidden || Date.now() - last < SILENT) return; // a hidden page's clock is slowed down
    const since = new Date(last).toLocaleTimeString();
    tell('poll', `The explorer’s server hasn’t been heard since ${since}: nothing new appears until it is.`);
    if (Date.now() - urged < SILENT) return;
    urged = Date.now();
    window.dash_clientside.set_props?.('tick', {disabled: false});
  };
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) last = Date.now();
  });
  // Called by Dash with what its callback returned; gives back what the page now knows.
  window.dash_clientside = Object.assign(window.dash_clientside || {}, {
    explorer: {
      take: news => {
        if (news) heard();
        if (news?.stamp) {
          known = {
            stamp: news.stamp,
            newest: news.payload ? news.payload.newest : known?.newest || 0,
            answers: news.answers,
            trouble: news.trouble,
            waits: news.waits ?? known?.waits,
          };
          explorer.take_payload(news);
          if (news.payload && news.payload.total !== explorer.data.epochs.epoch.length)
            known = {...known, stamp: null, newest: 0};
          if (news.waits) explorer.soon(); // a model was confirmed: the next /written may be minutes off
          answers(news.answers).then(views);
        }
        return {stamp: known?.stamp, newest: known?.newest || known?.payload?.newest || 0};
      },
    },
  });
}
