// The view of the curves: every trial's, ASHA's rungs and judgements, and what a more aggressive ASHA would have done.
{
  const {element, state} = explorer;
  const MEASURES = {
    val_accuracy: 'val accuracy',
    val_balanced_accuracy: 'val balanced accuracy',
    val_macro_f1: 'val macro-F1',
    train_accuracy: 'train accuracy',
    val_loss: 'val loss',
    train_loss: 'train loss',
    lr: 'learning rate',
  };
  const ALONG = {epoch: 'epoch', seconds: 'seconds in epochs', images: 'images seen'};
  const SHOWN = {each: 'each trial', setting: 'mean and range over seeds'};
  const SMOOTHING = {
    none: 'none',
    best: 'best so far',
    3: 'mean of 3 epochs',
    5: 'mean of 5 epochs',
    9: 'mean of 9 epochs',
  };
  const SCALES = {none: 'linear', x: 'log x', y: 'log y', xy: 'log both'};
  let curves,
    judged,
    chosen = {},
    outcome,
    key;

  // A choice that stays in the address.
  explorer.choice = (name, label, choices, fallback) => {
    const field = element('select', {
      onchange: () => explorer.change({options: {...state.options, [name]: field.value}}),
    });
    const made = {
      box: element('label', {}, `${label} `, field),
      get value() {
        return choices_of()[state.options[name]] !== undefined ? state.options[name] : fallback_of();
      },
      fill: () => {
        field.replaceChildren(
          ...Object.entries(choices_of()).map(([value, text]) =>
            element('option', {value, selected: value === made.value}, text),
          ),
        );
      },
    };
    const choices_of = () => (typeof choices === 'function' ? choices() : choices);
    const fallback_of = () => (typeof fallback === 'function' ? fallback() : fallback);
    return made;
  };

  // The measures that an epoch of these studies has: older ones know accuracy and loss alone.
  const measured = () =>
    Object.fromEntries(
      Object.entries(MEASURES).filter(([name]) => explorer.data.epochs[name].some(v => !Number.isNaN(v))),
    );
  const rungs = () => [...new Set(explorer.data.decisions.rung)].sort((a, b) => a - b);
  // The images seen at the rungs: an epoch of one study or batch size may have more than another's.
  const rung_images = () => {
    const {decisions, trials} = explorer.data;
    return [...new Set(Array.from(decisions.rung, (rung, k) => rung * trials.images[decisions.trial[k]]))];
  };
  // The studies with a search, each replayed with its own settings; of several, one is chosen.
  const searches = () =>
    [...explorer.data.studies.keys()].filter(number => explorer.data.studies[number].replays.length);
  const searched = () => explorer.data.studies[Number(chosen.search.value.slice(1))];

  function build(section) {
    chosen = {
      y: explorer.choice('curve', 'Draw', measured, () => explorer.judged),
      x: explorer.choice('along', 'against', ALONG, 'epoch'),
      shown: explorer.choice('curves', 'Show', SHOWN, 'each'),
      smoothing: explorer.choice('smoothing', 'Smoothing', SMOOTHING, 'none'),
      scale: explorer.choice('log', 'Axes', SCALES, 'none'),
      rung: explorer.choice(
        'rung',
        'Rung',
        () => Object.fromEntries(rungs().map(rung => [`r${rung}`, `epoch ${rung}`])),
        () => `r${rungs()[0]}`,
      ),
      search: explorer.choice(
        'search',
        'Search',
        () =>
          Object.fromEntries(searches().map(number => [`s${number}`, explorer.data.studies[number].name])),
        () => `s${searches()[0]}`,
      ),
      factor: explorer.choice(
        'factor',
        'Reduction factor',
        () =>
          Object.fromEntries(
            factors().map(f => [`f${f}`, f === searched()?.asha.factor ? `${f}, as it ran` : String(f)]),
          ),
        () => `f${factors()[0]}`,
      ),
      grace: explorer.choice(
        'grace',
        'Grace epochs',
        () => Object.fromEntries(graces().map(g => [`g${g}`, String(g)])),
        () => `g${graces().at(-1)}`,
      ),
    };
    curves = explorer.figure(section, {
      name: 'curves',
      title: 'Learning curves',
      height: 400,
      controls: [chosen.y, chosen.x, chosen.shown, chosen.smoothing, chosen.scale].map(({box}) => box),
    });
    key = element('p', {class: 'key'});
    curves.root.insertBefore(key, curves.wrap);
    judged = explorer.figure(section, {
      name: 'judgements',
      title: 'ASHA decisions',
      height: 300,
      controls: [chosen.rung.box],
    });
    outcome = element('div');
    section.append(
      element(
        'figure',
        {id: 'figure-replay'},
        element('h3', {}, 'What if ASHA were more aggressive?'),
        element('div', {class: 'controls'}, chosen.search.box, chosen.factor.box, chosen.grace.box),
        outcome,
      ),
      element('div', {class: 'written', id: 'written-curves'}, element('p', {class: 'quiet'}, 'Loading …')),
    );
  }
  const distinct = name => [...new Set((searched()?.replays || []).map(replay => replay[name]))];
  const factors = () => distinct('factor');
  const graces = () => distinct('grace');

  let axis_cache = {};
  function along(how) {
    const {data} = explorer;
    if (axis_cache.data === data && axis_cache.how === how) return axis_cache.x;
    const {start, epoch, epoch_seconds} = data.epochs,
      x = new Float32Array(epoch.length);
    for (let i = 0; i < data.n; i++) {
      let sum = 0;
      for (let k = start[i]; k < start[i + 1]; k++) {
        sum += epoch_seconds[k] || 0;
        x[k] = how === 'seconds' ? sum : how === 'images' ? epoch[k] * data.trials.images[i] : epoch[k];
      }
    }
    axis_cache = {data, how, x};
    return x;
  }
  const ends = test => {
    const found = [],
      {start} = explorer.data.epochs;
    for (let i = 0; i < explorer.data.n; i++) if (start[i + 1] > start[i] && test(i)) found.push(i);
    return found;
  };

  // A measure of every epoch as it is drawn: as measured, smoothed, or the best so far.
  let drawn_cache = {};
  function drawn(measure, how) {
    const {data} = explorer,
      raw = data.epochs[measure],
      {start} = data.epochs;
    if (how === 'none') return raw;
    const key = `${measure} ${how}`;
    if (drawn_cache.data === data && drawn_cache.key === key) return drawn_cache.y;
    const y = new Float32Array(raw.length);
    for (let i = 0; i < data.n; i++) {
      const own = raw.subarray(start[i], start[i + 1]);
      y.set(
        how === 'best'
          ? explorer.best_so_far(own, measure.includes('loss'))
          : explorer.smoothed(own, Number(how)),
        start[i],
      );
    }
    drawn_cache = {data, key, y};
    return y;
  }
  const smoothing_told = how =>
    how === 'none'
      ? ''
      : how === 'best'
        ? 'Drawn is the best so far, not what was measured at an epoch.'
        : `Smoothed: each point is the mean of ${how} epochs around it; the CSV has what was measured.`;

  // The selected trials that differ in their seed alone, by their setting.
  function seeds_together() {
    const {data} = explorer,
      {trials} = data,
      others = data.columns.filter(({name}) => name !== 'seed'),
      found = new Map();
    for (let i = 0; i < data.n; i++) {
      if (!explorer.selected[i] || !data.last[i]) continue;
      const own = [trials.study[i], trials.stage[i], trials.setting[i], trials.model[i], trials.asked[i]],
        key = JSON.stringify([...own, ...others.map(({values}) => values[i])]);
      if (!found.has(key))
        found.set(key, {name: trials.setting[i] || trials.trial_id[i], model: trials.model[i], trials: []});
      found.get(key).trials.push(i);
    }
    return [...found.values()];
  }
  // What a trial ended with by what its study was judged by: a failed one with nothing, whatever it had reached.
  const final = i => {
    const {trials, epochs} = explorer.data;
    return trials.status[i] === 'failed' ? NaN : epochs[explorer.judged][epochs.start[i + 1] - 1];
  };
  const top_of = (list, worth) =>
    list.reduce((best, one) => (best === null || worth(one) > worth(best) ? one : best), null);

  // Each setting's mean as a line and its seeds' range as a band; the best is thick and on top.
  function settings_traces(x, y) {
    const {start, epoch} = explorer.data.epochs,
      groups = seeds_together(),
      worth = ({trials}) => {
        const ended = trials.map(final).filter(Number.isFinite);
        return ended.reduce((a, b) => a + b, 0) / ended.length;
      },
      best = top_of(
        groups.filter(group => Number.isFinite(worth(group))),
        worth,
      ),
      many = groups.length,
      rows = [];
    const traces = groups.flatMap(group => {
      const look = explorer.look(group.model),
        own = explorer.over_seeds(
          group.trials.map(i => ({
            epoch: epoch.subarray(start[i], start[i + 1]),
            x: x.subarray(start[i], start[i + 1]),
            y: y.subarray(start[i], start[i + 1]),
          })),
        ),
        xs = own.map(row => row.x);
      for (const row of own)
        rows.push([group.name, group.model, row.x, row.seeds, row.mean, row.low, row.high]);
      const line = {
        x: xs,
        y: own.map(row => row.mean),
        name: group.name,
        mode: 'lines',
        over: group === best,
        opacity: group === best || many <= 12 ? 1 : 0.55,
        line: {color: look.colour, dash: look.dash_name, width: group === best ? 3.2 : 1.5},
        text: own.map(row => `${group.name}, mean of ${row.seeds}`),
      };
      if (group.trials.length < 2) return [line];
      return [
        {
          x: [...xs, ...xs.slice().reverse()],
          y: [...own.map(row => row.high), ...own.map(row => row.low).reverse()],
          fill: 'toself',
          fillcolor: `${look.colour}22`,
          line: {width: 0},
          hoverinfo: 'skip',
          mode: 'lines',
        },
        line,
      ];
    });
    const several = groups.filter(({trials}) => trials.length > 1).length;
    const told = many
      ? `${explorer.count(many)} ${many === 1 ? 'setting' : 'settings'}, ${explorer.count(several)} of them with several seeds: the line is their mean, the band reaches from the lowest seed to the highest.${best ? ` Thick: ${best.name}, whose final ${explorer.judged_words} is the highest.` : ''}`
      : 'No trial of this selection has an epoch.';
    return {traces, told, rows};
  }
  // The curve of the trial that ended best, over the others.
  function best_trace(x, y) {
    const {data} = explorer,
      {start} = data.epochs,
      i = top_of(
        ends(k => explorer.selected[k] && Number.isFinite(final(k))),
        final,
      );
    if (i === null || explorer.count_selected < 2) return {traces: [], told: ''};
    const look = explorer.look(data.trials.model[i]),
      own = values => Array.from(values.subarray(start[i], start[i + 1])),
      name = `best: ${data.trials.trial_id[i]}`,
      curve = {x: own(x), y: own(y), mode: 'lines', over: true};
    return {
      traces: [
        {...curve, showlegend: false, line: {color: explorer.colours().paper, width: 6}},
        {...curve, name, line: {color: look.colour, width: 3.2}},
      ],
      told: `Thick: ${data.trials.trial_id[i]}, whose final ${explorer.judged_words} is the highest, ${explorer.percent(final(i))}.`,
    };
  }

  function draw_curves() {
    const {data} = explorer,
      measure = chosen.y.value,
      how = chosen.x.value,
      smoothing = chosen.smoothing.value,
      together = chosen.shown.value === 'setting',
      log = {x: chosen.scale.value.includes('x'), y: chosen.scale.value.includes('y') || measure === 'lr'},
      x = along(how),
      raw = data.epochs[measure],
      y = drawn(measure, smoothing),
      {start} = data.epochs;
    const at = list => ({
      trial: Int32Array.from(list),
      x: Float32Array.from(list, i => x[start[i + 1] - 1]),
      y: Float32Array.from(list, i => y[start[i + 1] - 1]),
    });
    const stopped = ends(i => data.trials.status[i] === 'stopped'),
      failed = ends(i => data.trials.status[i] === 'failed');
    const again = explorer.replayed,
      would = again ? [...again.stopped.keys()] : [];
    const cut = would.map(i => {
      let k = start[i];
      while (data.epochs.epoch[k] < again.stopped.get(i)) k++;
      return k;
    });
    const loss = measure.includes('loss'),
      share = !loss && measure !== 'lr';
    const finite = y.filter(Number.isFinite),
      most = finite.length ? (loss ? quantile(finite, 0.99) : Infinity) : Infinity;
    const above = loss ? finite.filter(value => value > most * 1.05).length : 0,
      bad = raw.reduce((sum, value) => sum + !Number.isFinite(value), 0);
    const lines =
      how === 'seconds' ? [] : how === 'images' ? rung_images().map(x => ({x})) : rungs().map(x => ({x}));
    const inside = list => list.filter(i => explorer.selected[i]).length;
    const {traces, told, rows: means} = together ? settings_traces(x, y) : best_trace(x, y);
    const within = loss ? finite.filter(value => value <= most * 1.05) : finite;
    curves.draw({
      summary: [
        together
          ? told
          : `${explorer.count(explorer.count_selected)} of ${explorer.count(data.n)} trials; ${explorer.count(inside(stopped))} stopped early (crosses), ${inside(failed)} failed (triangles). ${told}`,
        smoothing_told(smoothing),
        rungs().length && how !== 'seconds'
          ? `Dotted: the rungs, at epoch ${explorer.listed(rungs().map(String))}.`
          : '',
        bad ? `${bad} epochs have no number.` : '',
        measure.startsWith('val') ? explorer.apart(i => data.last[i] > 0) : '',
        above ? `${above} losses lie above the frame.` : '',
        measure.startsWith('train') ? 'Train is measured while training, with augmentation and dropout.' : '',
      ]
        .filter(Boolean)
        .join(' '),
      caption: [MEASURES[measure], smoothing === 'none' ? '' : SMOOTHING[smoothing]]
        .filter(Boolean)
        .join(', '),
      x: {
        title: ALONG[how],
        log: log.x,
        range: explorer.range(x, log.x, 0.02),
        whole: how === 'epoch' && !log.x ? explorer.whole(...explorer.range(x)) : 0,
      },
      revision: `${measure} ${how} ${chosen.scale.value}`,
      y: {
        title: MEASURES[measure] + (smoothing === 'none' ? '' : `, ${SMOOTHING[smoothing]}`),
        percent: share,
        log: log.y,
        range: share && !log.y ? explorer.spread(finite) : explorer.range(within, log.y),
      },
      lines,
      traces,
      marks: together
        ? []
        : [
            {kind: 'lines', x, y, start},
            {kind: 'points', symbol: 'x', size: 3.6, ...at(stopped)},
            {kind: 'points', symbol: 'triangle-up', size: 4, ...at(failed)},
            {
              kind: 'points',
              only: true,
              symbol: 'diamond',
              told: 'what if: stopped here',
              size: 4,
              hollow: () => true,
              colour: () => explorer.colours().ink,
              trial: Int32Array.from(would),
              x: Float32Array.from(cut, k => x[k]),
              y: Float32Array.from(cut, k => y[k]),
            },
          ],
      tip: ({trial: i, k, number}) => {
        const row = number === 0 ? k : start[i + 1] - 1;
        return `${data.trials.trial_id[i]}, ${data.trials.model[i]}, epoch ${data.epochs.epoch[row]}: ${share ? explorer.percent(raw[row]) : explorer.number(raw[row])}${data.trials.status[i] === 'completed' ? '' : `; ${explorer.why_ended(i) || data.trials.status[i]}`}`;
      },
      table: () => (together ? means_table(means, how) : epochs_table(measure, how, x, raw)),
    });
  }
  const means_table = (rows, how) => ({
    columns: ['setting', 'model', how, 'seeds', 'mean', 'low', 'high'].map(name => ({name})),
    rows,
  });
  // Every epoch of the selected trials, as measured.
  function epochs_table(measure, how, x, y) {
    const {data} = explorer,
      {start, epoch} = data.epochs,
      more = how === 'epoch' ? [] : [{name: how, label: ALONG[how]}],
      rows = [];
    for (let i = 0; i < data.n; i++)
      if (explorer.selected[i])
        for (let k = start[i]; k < start[i + 1]; k++)
          rows.push([data.trials.trial_id[i], data.trials.model[i], epoch[k], ...more.map(() => x[k]), y[k]]);
    return {
      columns: [{name: 'trial_id'}, {name: 'model'}, {name: 'epoch'}, ...more, {name: measure}],
      rows,
    };
  }
  const quantile = (values, q) => Float32Array.from(values).sort()[Math.floor(q * (values.length - 1))];

  // The n-th judged at a rung against its value; the line is the cutoff then in force, one for each pool: a network of
  // a study, or the whole study where it was judged in one.
  function draw_judged() {
    const {data} = explorer,
      d = data.decisions,
      rung = Number(chosen.rung.value.slice(1));
    judged.root.hidden = !d.rung.length;
    if (!d.rung.length) return;
    const seen = new Map(),
      goes = {trial: [], x: [], y: []},
      stops = {trial: [], x: [], y: []},
      cutoffs = new Map(),
      of_trial = new Map(), // two studies may have a trial of one name
      rows = [];
    for (let k = 0; k < d.rung.length; k++) {
      if (d.rung[k] !== rung) continue;
      const i = d.trial[k],
        study = data.trials.study[i],
        model = data.studies[study].one_pool ? null : data.trials.model[i],
        group = `${study} ${model}`,
        order = (seen.get(group) || 0) + 1;
      seen.set(group, order);
      const into = d.stopped[k] ? stops : goes;
      into.trial.push(i);
      into.x.push(order);
      into.y.push(d.value[k]);
      if (!cutoffs.has(group)) cutoffs.set(group, {model, x: [], y: []});
      cutoffs.get(group).x.push(order);
      cutoffs.get(group).y.push(Number.isNaN(d.cutoff[k]) ? null : d.cutoff[k]);
      of_trial.set(i, rows.length);
      rows.push([
        data.trials.trial_id[i],
        data.trials.model[i],
        rung,
        order,
        d.value[k],
        d.cutoff[k],
        d.stopped[k] ? 'stop' : 'continue',
      ]);
    }
    const studies = new Set([...goes.trial, ...stops.trial].map(i => data.trials.study[i])),
      measures = [...new Set([...studies].map(study => data.studies[study].judged_words))];
    const gaps = stops.trial
      .map((i, k) => [rows[of_trial.get(i)][5] - stops.y[k], i])
      .filter(([gap]) => gap >= 0)
      .sort((a, b) => a[0] - b[0]);
    judged.draw({
      summary:
        `${explorer.count(rows.length)} were judged at epoch ${rung}, ${explorer.count(stops.trial.length)} stopped (crosses). The line is the cutoff in force when each was judged, ${pools()}.` +
        (gaps.length
          ? ` The closest call: ${data.trials.trial_id[gaps[0][1]]} fell ${(100 * gaps[0][0]).toFixed(2)} points short.`
          : ''),
      x: {
        title: 'order of arrival at the rung',
        range: [0, Math.max(2, ...seen.values()) + 1],
        whole: explorer.whole(0, Math.max(2, ...seen.values())),
      },
      revision: `rung ${rung}`,
      y: {
        title: `${explorer.listed(measures)} at epoch ${rung}`,
        percent: true,
        range: explorer.spread(
          [...goes.y, ...stops.y, ...rows.map(row => row[5]).filter(Number.isFinite)],
          0.06,
        ),
      },
      traces: [...cutoffs.values()].map(({model, x, y}) => ({
        x,
        y,
        mode: 'lines',
        name: model === null ? 'cutoff' : `cutoff, ${model}`,
        hoverinfo: 'skip',
        line: {
          shape: 'hvh',
          width: 1.5,
          color: model === null ? explorer.colours().ink : explorer.look(model).colour,
          dash: model === null ? 'solid' : explorer.look(model).dash_name,
        },
      })),
      marks: [
        {kind: 'points', ...goes, size: 3.4},
        {kind: 'points', ...stops, symbol: 'x', size: 3.6},
      ],
      tip: ({trial: i}) => {
        const row = rows[of_trial.get(i)];
        return `${row[0]}, ${row[1]}: ${explorer.percent(row[4], 2)}, cutoff ${explorer.percent(row[5], 2)}, ${row[6]}`;
      },
      table: () => ({
        columns: ['trial_id', 'model', 'rung', 'order', 'value', 'cutoff', 'decision'].map(name => ({name})),
        rows,
      }),
    });
  }

  // With whom a trial was compared at a rung, as the decisions tell it.
  function pools() {
    const {studies} = explorer.data,
      judged = searches().filter(number => studies[number].asha.factor),
      pooled = judged.filter(number => studies[number].one_pool);
    if (!pooled.length) return 'among those of its own network';
    if (pooled.length === judged.length) return 'among those of all networks, in one pool';
    return `among those of its own network, and in ${explorer.listed(pooled.map(number => studies[number].name))} among those of all networks, in one pool`;
  }

  const points = share => (Number.isNaN(share) ? '–' : (100 * share).toFixed(2));
  const fraction = value => (value === null ? NaN : value);
  function draw_replay() {
    const study = searched(),
      grace = Number(chosen.grace.value.slice(1)),
      now = Number(chosen.factor.value.slice(1));
    outcome.parentElement.hidden = !study;
    chosen.search.box.hidden = searches().length < 2;
    if (!study) {
      explorer.replayed = null;
      return;
    }
    const rows = study.replays.filter(replay => replay.grace === grace),
      own = rows.find(row => row.factor === now) || rows[0],
      lost = row => fraction(row.top) - fraction(row.best);
    const {stopped, at} = own,
      rungs_of = explorer.array(at);
    explorer.replayed =
      state.options.factor || state.options.grace
        ? {stopped: new Map(Array.from(explorer.array(stopped), (i, k) => [i, rungs_of[k]]))}
        : null;
    const table = {
      columns: [
        {name: 'reduction_factor', label: 'reduction factor'},
        {name: 'epochs_run', label: 'epochs run'},
        {name: 'saved', label: 'epochs saved', show: explorer.percent},
        {name: 'best', label: `best ${study.judged_words}`, show: value => explorer.percent(value, 2)},
        {name: 'lost', label: `${study.judged_words} lost (points)`, show: points},
        {name: 'stopped', label: 'additionally stopped'},
      ],
      rows: rows.map(row => [
        row.factor,
        row.run,
        1 - row.run / row.of,
        fraction(row.best),
        lost(row),
        row.many,
      ]),
    };
    outcome.replaceChildren(
      element(
        'p',
        {class: 'summary'},
        `The stored curves of ${study.name}, from epoch ${grace}, keeping one in ${own.factor}, each judged in the study’s own order and ${study.one_pool ? 'one pool' : 'among those of its network'}: ${explorer.count(own.run)} of ${explorer.count(own.of)} epochs${own.best === null ? '.' : `, and ${points(lost(own))} points of ${study.judged_words} lost.`} ${explorer.replayed ? 'Hollow diamonds on the curves mark where it would have stopped.' : ''} Only more aggressive settings can be replayed: a curve ends where the study stopped it.`,
      ),
      element('div', {class: 'scroll', tabindex: 0}, explorer.plain_table(table)),
      explorer.tools(explorer.saver('CSV', 'the replays', () => explorer.save_csv('replay', table))),
    );
  }

  explorer.key = box =>
    box.replaceChildren(
      ...Object.keys(explorer.data.styles).map(model => element('span', {}, explorer.swatch(model), model)),
    );
  explorer.views.push({
    id: 'curves',
    title: 'Curves',
    about:
      'Accuracy and loss by epoch, and where ASHA stopped. Not comparable: curves of different images, and ends of different budgets.',
    build,
    update: changes => {
      if (changes.hover) {
        explorer.paint(curves);
        explorer.paint(judged);
        return;
      }
      if (!changes.moving) {
        for (const choice of Object.values(chosen)) choice.fill();
        draw_replay();
        explorer.key(key);
      }
      draw_curves();
      draw_judged();
    },
  });
}
