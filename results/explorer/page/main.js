// The page: its sections, the bar with the selection, what comes live, what is handed over.
{
  const {element, state} = explorer;
  const built = new Set(),
    dirty = new Map(),
    near = new Set();
  const SOON = 120; // ms that may pass before the browser gets to paint
  const written = {}; // what the server wrote, by the name of its place
  let epoch_field,
    settle = null;
  const section_of = id => document.getElementById(id);
  explorer.times = {start: performance.now()};

  function shell() {
    const nav = document.querySelector('nav');
    const titles = [
      ...explorer.views.map(view => [view.id, view.title]),
      ['networks', 'Networks'],
      ['paper', 'Paper'],
      ['study', 'Configuration'],
    ];
    for (const [id, title] of titles)
      nav.append(
        element(
          'a',
          {
            href: `#${id}`,
            onclick: event => jump(event, id),
          },
          title,
        ),
      );
    document.querySelector('.skip').addEventListener('click', event => {
      jump(event, 'trials');
      section_of('trials').focus({preventScroll: true});
    });
    for (const view of explorer.views)
      if (!section_of(view.id).querySelector('h2'))
        section_of(view.id).append(element('h2', {}, view.title), element('p', {class: 'about'}, view.about));
    const watch = new IntersectionObserver(
      entries => {
        for (const {target, isIntersecting} of entries) {
          if (isIntersecting) near.add(target.id);
          else near.delete(target.id);
          if (isIntersecting && document.body.dataset.ready) visit(target.id);
        }
      },
      {rootMargin: '500px'},
    );
    for (const view of explorer.views) watch.observe(section_of(view.id));
    // Which view is read: its entry is marked, and in sight where the menu is wider than the screen.
    const current = id => {
      const entry = nav.querySelector(`[href="#${id}"]`);
      entry.setAttribute('aria-current', 'true');
      nav.scrollLeft = entry.offsetLeft - nav.offsetLeft - (nav.clientWidth - entry.offsetWidth) / 2;
    };
    const seen = new IntersectionObserver(
      entries => {
        for (const {target, isIntersecting} of entries)
          if (isIntersecting) current(target.id);
          else nav.querySelector(`[href="#${target.id}"]`).removeAttribute('aria-current');
      },
      {rootMargin: '-40% 0px -55% 0px'},
    );
    for (const [id] of titles) seen.observe(section_of(id));
    epoch_field = element('select', {
      id: 'epoch',
      onchange: () =>
        explorer.change({epoch: epoch_field.value === 'usual' ? null : Number(epoch_field.value)}),
    });
    document
      .getElementById('bar')
      .append(
        element('span', {id: 'count', 'aria-live': 'polite'}),
        element('button', {id: 'clear', onclick: explorer.clear, hidden: true}, 'Clear'),
        element('label', {}, 'Compare ', epoch_field),
        element('span', {class: 'spacer'}),
        element('button', {id: 'link', onclick: link}, 'Copy link'),
        element('button', {id: 'export', onclick: () => ask_export()}, 'Save as one file'),
      );
  }
  const go = (explorer.go = id =>
    section_of(id)?.scrollIntoView({
      behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth',
    }));

  // A link to a view: the browser's own jump to #trials would replace the address, and the selection in it.
  function jump(event, id) {
    event.preventDefault();
    state.view = id;
    explorer.remember(false);
    go(id);
  }

  // Drawn when it comes near, or when the browser has nothing else to do.
  function visit(id) {
    const view = explorer.views.find(each => each.id === id);
    if (!view || !explorer.data) return;
    if (!built.has(id)) {
      built.add(id);
      view.build(section_of(id));
      for (const [name, html] of Object.entries(written)) write(name, html);
      dirty.set(id, {data: true});
    }
    if (!dirty.has(id)) return;
    const changes = dirty.get(id);
    dirty.delete(id);
    view.update(changes);
  }
  explorer.refresh = id => {
    dirty.set(id, {...dirty.get(id), data: true});
    if (near.has(id) || built.has(id)) visit(id);
  };

  explorer.on(changes => {
    if (changes.hover) {
      for (const view of explorer.views) if (near.has(view.id) && built.has(view.id)) view.update(changes);
      return;
    }
    bar(changes);
    const began = performance.now();
    for (const view of explorer.views) {
      if (!built.has(view.id)) continue;
      if (changes.moving) {
        if (near.has(view.id)) view.update(changes);
        else dirty.set(view.id, {...dirty.get(view.id), ...changes, moving: false});
        continue;
      }
      dirty.set(view.id, {...dirty.get(view.id), ...changes, moving: false});
    }
    if (changes.moving) return;
    for (const id of near) visit(id);
    clearTimeout(settle);
    (function next() {
      // what is out of sight follows: at once while that is quick, else a view at a time
      const id = [...dirty.keys()].find(each => built.has(each));
      if (!id) {
        explorer.times.answered = performance.now() - began;
        document.body.dataset.settled = String(Number(document.body.dataset.settled || 0) + 1);
        return;
      }
      if (performance.now() - began > SOON)
        settle = setTimeout(() => {
          visit(id);
          next();
        });
      else {
        visit(id);
        next();
      }
    })();
  });

  function bar(changes) {
    const {data} = explorer,
      narrowed = explorer.narrowed();
    document
      .getElementById('count')
      .replaceChildren(
        element('b', {}, explorer.count(explorer.count_selected)),
        ` of ${explorer.count(data.n)} trials`,
      );
    document.getElementById('clear').hidden = !narrowed;
    if (changes.data || !epoch_field.options.length || 'epoch' in changes) {
      const reached = new Int32Array(data.most + 2);
      for (const last of data.last) reached[last]++;
      for (let k = data.most; k >= 0; k--) reached[k] += reached[k + 1];
      const words = k => {
        const many = reached[k] || 0; // an address may name an epoch that none reached
        return `epoch ${k} (${many === data.n ? 'all' : explorer.count(many)} ${data.n === 1 ? 'trial' : 'trials'})`;
      };
      const epochs = Array.from({length: data.most}, (_, k) => k + 1);
      if (state.epoch > data.most) epochs.push(state.epoch);
      epoch_field.replaceChildren(
        element(
          'option',
          {value: 'usual', selected: state.epoch === null},
          `final ${explorer.judged_measure}; figures at ${words(data.furthest)}`,
        ),
        ...epochs.map(k => element('option', {value: k, selected: state.epoch === k}, words(k))),
        element('option', {value: 0, selected: state.epoch === 0}, 'final epoch (unequal budgets)'),
      );
    }
  }

  // All that is known of one trial.
  explorer.pin = i => {
    const {data} = explorer,
      t = data.trials,
      dialog = document.getElementById('detail'),
      {start, epoch} = data.epochs,
      value = data.epochs[explorer.judged];
    const rows = [
      ['network', t.model[i]],
      ['setting', t.setting[i]],
      ['stage', t.stage[i]],
      ['status', t.status[i]],
      ['why it ended', t.reason[i]],
      [t.status[i] === 'failed' ? 'error' : 'error before the retry', t.error[i]],
      ['epochs', `${data.last[i]} of ${explorer.number(t.asked[i])}`],
      [`final ${explorer.judged_words}`, explorer.percent(explorer.at(data, explorer.judged, 0)[i], 2)],
      ['time in epochs', explorer.duration(data.seconds[i])],
      ['parameters', explorer.large(t.parameters[i])],
      ['multiply-adds', explorer.large(t.multiply_adds[i])],
      ['device', t.device[i]],
      ['retries', t.retries[i] || ''],
      ...data.columns.map(column => [
        column.name.replaceAll('_', ' '),
        column.text
          ? (column.values[i] ?? 'absent')
          : Number.isNaN(column.values[i])
            ? 'absent'
            : explorer.number(column.values[i]),
      ]),
    ].filter(([, value]) => value !== null && value !== '');
    const d = data.decisions,
      judged = [];
    for (let k = 0; k < d.rung.length; k++)
      if (d.trial[k] === i)
        judged.push([d.rung[k], d.value[k], d.cutoff[k], d.stopped[k] ? 'stopped' : 'went on']);
    const curve = {
      columns: [
        {name: 'epoch'},
        {name: explorer.judged, label: explorer.judged_words, show: value => explorer.percent(value, 2)},
        {name: 'val_loss', label: 'val loss'},
        {name: 'train_accuracy', label: 'train accuracy', show: value => explorer.percent(value, 2)},
      ],
      rows: Array.from({length: start[i + 1] - start[i]}, (_, k) => [
        epoch[start[i] + k],
        value[start[i] + k],
        data.epochs.val_loss[start[i] + k],
        data.epochs.train_accuracy[start[i] + k],
      ]),
    };
    const shut = what => () => {
      what();
      dialog.close();
    };
    explorer.renew(
      dialog,
      element(
        'div',
        {class: 'head'},
        element('h3', {}, explorer.swatch(t.model[i]), t.trial_id[i]),
        element('button', {onclick: () => dialog.close(), 'aria-label': 'close'}, '✕'),
      ),
      element(
        'div',
        {class: 'controls'},
        element('button', {onclick: shut(() => explorer.pick(new Set([data.key[i]])))}, 'Select only this'),
        element(
          'button',
          {onclick: shut(() => explorer.toggle(explorer.now(data.key[i])))},
          explorer.selected[i] ? 'Deselect' : 'Add to the selection',
        ),
        explorer.rival_field(i),
      ),
      explorer.note_fields(i),
      element(
        'dl',
        {},
        rows.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, String(value))]),
      ),
      judged.length
        ? element(
            'div',
            {},
            element('h4', {}, 'ASHA decisions'),
            explorer.plain_table({
              columns: [
                {name: 'rung', label: 'epoch'},
                {name: 'value', label: 'value', show: value => explorer.percent(value, 2)},
                {name: 'cutoff', label: 'cutoff', show: value => explorer.percent(value, 2)},
                {name: 'then'},
              ],
              rows: judged,
            }),
          )
        : '',
      element('h4', {}, 'Epochs'),
      element('div', {class: 'scroll'}, explorer.plain_table(curve)),
    );
    if (!dialog.open) dialog.showModal();
  };

  async function link() {
    const button = document.getElementById('link'),
      here = document.querySelector('nav a[aria-current]');
    if (here) state.view = here.getAttribute('href').slice(1);
    explorer.remember(true);
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'It is in the address bar';
    }
    setTimeout(() => {
      button.textContent = 'Copy link';
    }, 2000);
  }
  // The export is written by the app; an export hands over itself.
  function ask_export() {
    const dialog = document.getElementById('detail'),
      narrowed = explorer.narrowed();
    const part = element('input', {type: 'radio', name: 'part', checked: narrowed, disabled: !narrowed}),
      all = element('input', {type: 'radio', name: 'part', checked: !narrowed});
    const faces = element('input', {type: 'checkbox', disabled: !explorer.faces.there}),
      sentence = element('p', {class: 'quiet', 'aria-live': 'polite'});
    const save = async () => {
      sentence.textContent = 'Writing…';
      try {
        const answer = await fetch('export', {
          method: 'POST',
          headers: {'Content-Type': 'application/json'},
          body: JSON.stringify({
            keys: part.checked ? explorer.ids() : null,
            address: part.checked ? '' : location.hash,
            faces: faces.checked,
          }),
        });
        if (!answer.ok) throw new Error(await answer.text());
        explorer.download(
          `${explorer.data.studies.map(study => study.name.replace(/[^\w.+-]+/g, '-')).join('-')}.html`,
          await answer.blob(),
        );
        dialog.close();
      } catch (error) {
        sentence.textContent = `It couldn’t be written: ${error.message}`;
      }
    };
    dialog.replaceChildren(
      element(
        'div',
        {class: 'head'},
        element('h3', {}, 'Save as one file'),
        element('button', {onclick: () => dialog.close(), 'aria-label': 'close'}, '✕'),
      ),
      element(
        'p',
        {},
        'One HTML file that needs no network: brushing, linking and tables work in it as they do here.',
      ),
      element(
        'div',
        {class: 'choices'},
        element(
          'label',
          {},
          part,
          `the ${explorer.count(explorer.count_selected)} selected trials, with what was confirmed of them`,
        ),
        element('label', {}, all, `all ${explorer.count(explorer.data.n)} trials, with this selection`),
        element('label', {}, faces, 'with the faces'),
      ),
      element(
        'p',
        {class: 'quiet'},
        !explorer.faces.there
          ? explorer.faces.why
          : explorer.drawn_faces()
            ? 'The faces are drawn: they may be handed on.'
            : 'The faces’ licence forbids spreading them: leave them out of what you hand on.',
      ),
      sentence,
      element('div', {class: 'controls'}, element('button', {class: 'main', onclick: save}, 'Save')),
    );
    dialog.showModal();
  }

  // What the server wrote, by the name of its place. Its figures are drawn when near.
  function write(name, html) {
    const box = document.getElementById(`written-${name}`);
    if (!box || html === undefined || box.dataset.html === html) return;
    explorer.held(box, () => fill(box, html));
    const watch = new IntersectionObserver(
      entries => {
        for (const {target, isIntersecting} of entries)
          if (isIntersecting) {
            watch.unobserve(target);
            draw(target);
          }
      },
      {rootMargin: '400px'},
    );
    for (const plot of box.querySelectorAll('.plot')) watch.observe(plot);
  }
  function fill(box, html) {
    for (const plot of box.querySelectorAll('.js-plotly-plot')) window.Plotly.purge(plot);
    const fold_of = folded => folded.dataset.fold ?? folded.firstElementChild.textContent,
      open = new Set([...box.querySelectorAll('details[open]')].map(fold_of));
    box.innerHTML = html;
    box.dataset.html = html;
    for (const folded of box.querySelectorAll('details')) if (open.has(fold_of(folded))) folded.open = true;
    offer_copies(box);
    for (const table of box.querySelectorAll('script[type="text/csv"]')) {
      const {name} = table.dataset,
        text = table.textContent
          .replace(/\\u003([ce])/g, (_, c) => (c === 'c' ? '<' : '>'))
          .replace(/\\u0026/g, '&');
      const folded = table.previousElementSibling?.matches('details') && table.previousElementSibling,
        tools = explorer.tools(
          explorer.saver('CSV', name, () => explorer.download(`${name}.csv`, text, 'text/csv')),
        );
      table.replaceWith(folded ? '' : tools);
      if (folded) folded.append(tools);
    }
  }
  // Paper has its own width, of which a script learns nothing in time: what is drawn keeps its pixels and is made smaller
  // as a whole, in one of two columns or alone, and what wasn't in sight yet is drawn.
  const [COLUMN, WHOLE] = [310, 660];
  addEventListener('afterprint', () => explorer.on_paper(false));
  addEventListener('beforeprint', () => {
    explorer.on_paper(true);
    for (const box of document.querySelectorAll('.written .plot')) if (box.querySelector('script')) draw(box);
    for (const box of document.querySelectorAll('.drawing, .written .plot')) {
      const room = box.closest('.three, .pair, .side, .plots:has(> :nth-child(2))') ? COLUMN : WHOLE;
      box.style.setProperty('--screen', `${box.clientWidth}px`);
      box.style.setProperty('--shrink', Math.min(1, room / box.clientWidth));
    }
  });
  // The same figure with the networks' colours as they stand out on a dark page.
  const by_night = text =>
    explorer.night()
      ? Object.values(explorer.data.styles).reduce(
          (told, [colour, , , on_black]) => told.replaceAll(colour, on_black),
          text,
        )
      : text;
  const redrawn = new WeakMap(); // figure -> how; one that was replaced isn't held
  explorer.on_theme = () => {
    for (const box of document.querySelectorAll('.written .plot')) redrawn.get(box)?.();
  };
  async function draw(box) {
    const source = box.querySelector('script').textContent,
      title = box.previousElementSibling?.textContent || 'figure';
    box.querySelector('script').remove();
    const Plotly = await explorer.plotly();
    if (!box.isConnected) return; // replaced meanwhile
    const show = () => {
      const figure = fitted(JSON.parse(by_night(source)), box.clientWidth);
      return Plotly.react(box, figure.data, figure.layout, {
        showSendToCloud: false,
        plotlyServerURL: '',
        displaylogo: false,
        responsive: true,
        displayModeBar: false,
      });
    };
    await show();
    const again = () => box.isConnected && show();
    redrawn.set(box, again);
    refit(box, again);
    const name = title.replace(/[^\w]+/g, '-').toLowerCase(),
      size = () => ({width: Math.max(box.clientWidth, 640), height: box.clientHeight});
    const save = async format => {
      const {layout, data} = box,
        {paper, soft, ink} = explorer.colours();
      const image = {
        data,
        layout: {
          ...layout,
          paper_bgcolor: paper,
          font: {...layout.font, color: soft},
          title: {
            text: title.replaceAll('<', '&lt;'),
            font: {size: 14, color: ink},
            x: 0.01,
            xanchor: 'left',
            y: 0.98,
            yanchor: 'top',
          },
          margin: {...layout.margin, t: 72},
        },
      };
      const {width, height} = size(),
        url = await Plotly.toImage(image, {
          format,
          width,
          height: height + 64,
          scale: format === 'png' ? 2 : 1,
        });
      explorer.download(`${name}.${format}`, await (await fetch(url)).blob());
    };
    box.after(
      explorer.tools(
        explorer.saver('SVG', title, () => save('svg')),
        explorer.saver('PNG', title, () => save('png')),
      ),
    );
  }

  // A payload, whole or only what is new. Neither selection nor zoom is touched.
  explorer.take_payload = ({payload, written: first_texts, trouble}) => {
    document.getElementById('trouble').textContent = trouble || '';
    document.getElementById('trouble').hidden = !trouble;
    if (!payload) return;
    const first = !explorer.data;
    explorer.data = explorer.decode(payload, payload.whole ? null : explorer.data);
    if (first) Object.assign(state, explorer.read(explorer.opening ?? location.hash));
    explorer.select();
    take(first_texts);
    document.getElementById('live').hidden = !(
      payload.studies.some(study => study.status === 'running') && explorer.live
    );
    if (first) {
      bar({data: true});
      visit('overview');
      visit('trials');
      explorer.times.picture = performance.now();
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          document.body.dataset.ready = '1';
          explorer.times.shown = performance.now();
          idle(after);
        }),
      );
      return;
    }
    const again = {data: true};
    bar(again);
    for (const view of explorer.views)
      if (built.has(view.id)) {
        dirty.set(view.id, {...dirty.get(view.id), ...again});
        if (near.has(view.id)) visit(view.id);
      }
    document.body.dataset.news = String(Number(document.body.dataset.news || 0) + 1);
  };
  // A place that a view has yet to build gets its text then.
  const take = texts => {
    Object.assign(written, texts);
    for (const [name, html] of Object.entries(texts)) write(name, html);
  };
  explorer.take_written = take;
  explorer.take_faces = told => {
    explorer.faces = {
      ...told,
      votes: told.votes ? {names: told.votes.names, counts: explorer.array(told.votes.counts)} : null,
    };
    explorer.refresh('faces');
  };

  const idle = window.requestIdleCallback || (call => setTimeout(call, 50));
  // After the first picture: in the app the answer, then plotly, the other views, the answers, and what Dash brings.
  async function after() {
    explorer.soon?.();
    await explorer.plotly();
    for (const id of near) visit(id);
    const rest = explorer.views.map(view => view.id);
    idle(function next() {
      const id = rest.shift();
      if (id) {
        visit(id);
        idle(next);
      } else {
        document.body.dataset.whole = '1';
        if (state.view) section_of(state.view)?.scrollIntoView({behavior: 'auto'});
        explorer.later?.();
      }
    });
  }
  shell();
}
