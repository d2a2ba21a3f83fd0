// The view of the trials: coordinates, table, one hyperparameter at a time, learning rate by batch size.
{
  const {element, state} = explorer;
  const SLICES = 6; // at first, of those with the most values
  let coordinates,
    grid,
    only,
    found,
    misread,
    find,
    slices,
    more_slices,
    slice_figures = [],
    matrix,
    map,
    across,
    down,
    bar;

  function build(section) {
    coordinates = explorer.coordinates(section);
    find = element('input', {
      type: 'search',
      id: 'find',
      placeholder: 'alexnet lr<0.01 status=stopped',
      value: state.find,
      oninput: () => type(),
    });
    only = element('input', {type: 'checkbox', checked: true, onchange: () => table()});
    found = element('span', {class: 'quiet', 'aria-live': 'polite'});
    misread = element('p', {class: 'note', id: 'misread', role: 'status', hidden: true});
    const box = element(
      'figure',
      {id: 'figure-table'},
      element('h3', {}, 'Table'),
      element(
        'div',
        {class: 'controls'},
        element('label', {}, 'Find ', find),
        element('label', {}, only, 'selected only'),
        found,
        element(
          'span',
          {class: 'buttons'},
          explorer.saver('CSV', 'the table of trials', () => explorer.save_csv('trials', grid.table())),
        ),
      ),
    );
    box.append(misread);
    section.append(box);
    grid = explorer.grid(box, {name: 'trials', onpin: explorer.pin, ontoggle: explorer.toggle});
    slices = element('div', {class: 'multiples'});
    section.append(
      element('h3', {}, 'One hyperparameter at a time'),
      element('p', {class: 'summary', id: 'slices-summary'}),
      slices,
      (more_slices = element('button', {
        id: 'more-slices',
        onclick: () => explorer.change({options: {...state.options, slices: all_slices() ? 'few' : 'all'}}),
      })),
    );
    const pair = element('div', {class: 'pair'});
    section.append(pair);
    across = explorer.choice('across', 'Across', pairable, () => standard('lr', 0));
    down = explorer.choice('down', 'down', pairable, () => standard('batch_size', 1));
    map = explorer.figure(pair, {
      name: 'lr-batch',
      title: 'Two hyperparameters',
      height: 320,
      controls: [across.box, down.box],
    });
    bar = element('p', {class: 'key'});
    map.root.insertBefore(bar, map.wrap);
    matrix = element('figure', {id: 'figure-cells'});
    pair.append(matrix);
  }

  // One step of the history for a run of typing: as long as nothing else has become the address.
  let typed = null;
  function type() {
    const before = location.hash;
    explorer.change({find: find.value}, {replace: before === typed});
    if (location.hash !== before) typed = location.hash;
  }

  function columns() {
    const {data} = explorer,
      t = data.trials,
      axes = explorer.all_axes(),
      final = explorer.at(data, explorer.judged, 0),
      accuracy = explorer.accuracy();
    const of = (name, label, get, more = {}) => ({name, label, get, ...more});
    const own = axes.filter(axis => !['model', 'status', 'epochs', explorer.judged].includes(axis.name));
    return [
      of('trial_id', 'trial', i => t.trial_id[i], {word: true, long: true}),
      of('model', 'network', i => t.model[i], {word: true, swatch: true}),
      of(explorer.judged, axes.find(axis => axis.name === explorer.judged).label, i => accuracy[i], {
        show: value => explorer.percent(value),
      }),
      ...(explorer.shown_epoch()
        ? [
            of(`last_${explorer.judged}`, `final ${explorer.judged_words}`, i => final[i], {
              show: value => explorer.percent(value),
            }),
          ]
        : []),
      of('epochs', 'epochs', i => data.last[i], {
        show: (value, i) => `${value} of ${explorer.number(t.asked[i])}`,
      }),
      ...own.map(axis => of(axis.name, axis.label, i => axis.values[i], {word: axis.text})),
      of('seconds', 'time', i => data.seconds[i], {show: explorer.duration}),
      of('status', 'status', i => t.status[i], {word: true}),
      ...(t.tags.some(Boolean) ? [of('tags', 'tags', i => t.tags[i] || '', {word: true})] : []),
      ...(t.note.some(Boolean) ? [of('note', 'note', i => t.note[i] || '', {word: true, long: true})] : []),
      of('reason', 'why it ended', i => t.why_ended[i] || '', {word: true, long: true}),
    ];
  }
  function table() {
    const rows = [];
    for (let i = 0; i < explorer.data.n; i++) if (!only.checked || explorer.selected[i]) rows.push(i);
    grid.fill(columns(), rows);
    found.textContent = `${explorer.count(rows.length)} ${rows.length === 1 ? 'row' : 'rows'}`;
    misread.textContent = explorer.not_understood.join(' ');
    misread.hidden = !explorer.not_understood.length;
  }

  // Where a trial stands along an axis of words, steps or numbers; jitter keeps equal ones apart.
  explorer.along = (axis, n) => {
    const x = new Float32Array(n).fill(NaN),
      {foot} = axis;
    const place = axis.steps ? new Map(axis.distinct.map((word, k) => [word, k])) : null;
    for (let i = 0; i < n; i++)
      x[i] = place
        ? (place.get(axis.values[i]) ?? NaN) + (((i * 0.618034) % 1) - 0.5) * 0.36
        : foot && axis.values[i] <= 0
          ? foot.at
          : axis.values[i];
    const range = explorer.range(x, axis.log);
    const told = axis.steps
      ? {
          ticks: {
            at: axis.distinct.map((_, k) => k),
            text: axis.distinct.map(word =>
              axis.text ? String(word).replaceAll('<', '&lt;') : explorer.number(word),
            ),
          },
          range: [-0.6, axis.distinct.length - 0.4],
        }
      : {log: axis.log, range, ...(foot ? {ticks: explorer.log_ticks(range, foot)} : {})};
    return {x, told: {title: axis.label, ...told}};
  };
  explorer.range = (values, log = false, room = 0.04) => {
    let low = Infinity,
      high = -Infinity;
    for (const value of values) {
      if (value < low && (!log || value > 0)) low = value;
      if (value > high && Number.isFinite(value)) high = value;
    }
    if (!(high >= low)) return log ? [0.1, 1] : [0, 1];
    if (log) {
      const wide = Math.max((high / low) ** room, 1.15);
      return [low / wide, high * wide];
    }
    const wide = high > low ? (high - low) * room : Math.abs(high) * 0.1 || 0.5;
    return [low - wide, high + wide];
  };
  // An axis of accuracies: at least so wide that what no number of images could show doesn't fill it (style.spread).
  const LEAST = 0.05;
  explorer.spread = (values, room = 0.04) => {
    const [low, high] = explorer.range(values, false, room);
    if (high - low >= LEAST) return [low, high];
    const from = Math.min(Math.max(0, (low + high) / 2 - 0.55 * LEAST), 1 - 1.1 * LEAST);
    return [from, from + 1.1 * LEAST];
  };
  const lasso = (x, y) => inside => {
    const keys = new Set();
    for (let i = 0; i < x.length; i++)
      if (explorer.selected[i] && inside(x[i], y[i])) keys.add(explorer.data.key[i]);
    explorer.change({picked: keys});
  };
  explorer.lasso = lasso;

  const all_slices = () => state.options.slices === 'all';
  function draw_slices() {
    const {data} = explorer,
      y = explorer.compared_accuracy(),
      every = Int32Array.from({length: data.n}, (_, i) => i),
      groups = explorer.groups();
    const skip = new Set(['model', 'study', 'stage', 'status', 'epochs', explorer.judged]);
    const every_axis = explorer
        .all_axes()
        .filter(axis => !skip.has(axis.name))
        .sort((a, b) => b.distinct.length - a.distinct.length),
      axes = all_slices() ? every_axis : every_axis.slice(0, SLICES),
      left = every_axis.slice(SLICES).map(axis => axis.label);
    more_slices.hidden = !left.length;
    more_slices.textContent = all_slices()
      ? `Only the ${SLICES} with the most values`
      : `${left.length} more: ${explorer.listed(left)}`;
    if (slice_figures.map(figure => figure.name).join() !== axes.map(axis => `slice-${axis.name}`).join()) {
      slices.replaceChildren();
      slice_figures = axes.map(axis =>
        explorer.figure(slices, {name: `slice-${axis.name}`, title: axis.label, height: 230}),
      );
    }
    const shown = i => explorer.percent(y[i]);
    axes.forEach((axis, k) => {
      const {x, told} = explorer.along(axis, data.n),
        lacking = count(i => explorer.selected[i] && explorer.compared(i) && Number.isNaN(x[i]));
      slice_figures[k].draw({
        summary:
          strongest(axis, groups, y) + (lacking ? ` Not applicable to ${explorer.count(lacking)}.` : ''),
        caption: explorer.epoch()
          ? `${explorer.judged_words} at epoch ${explorer.epoch()}`
          : `final ${explorer.judged_words}`,
        x: told,
        y: {title: explorer.judged_words, percent: true, range: explorer.spread(y)},
        revision: `${axis.name} ${explorer.epoch()}`,
        marks: [{kind: 'points', x, y, trial: every, hollow: i => data.trials.status[i] === 'stopped'}],
        lasso: lasso(x, y),
        tip: ({trial: i}) =>
          `${data.trials.trial_id[i]}, ${data.trials.model[i]}: ${axis.text ? axis.values[i] : explorer.number(axis.values[i])}, ${shown(i)}`,
        table: () => ({
          columns: [
            {name: 'trial_id', label: 'trial'},
            {name: 'model', label: 'network'},
            {name: axis.name, label: axis.label},
            {name: explorer.judged, label: explorer.judged_words, show: explorer.percent},
          ],
          rows: [...every]
            .filter(i => explorer.selected[i] && explorer.compared(i))
            .map(i => [data.trials.trial_id[i], data.trials.model[i], axis.values[i], y[i]]),
        }),
      });
    });
    document.getElementById('slices-summary').textContent = axes.length
      ? `${explorer.when()} Hollow marks were stopped early. Lasso points to select trials.`
      : 'No hyperparameter differs between trials.';
  }
  const count = test => {
    let sum = 0;
    for (let i = 0; i < explorer.data.n; i++) if (test(i)) sum++;
    return sum;
  };
  // Each network of each study by itself: pooled, a network that leads would make its own values look good.
  function strongest(axis, groups, y) {
    const told = groups
      .map(group => ({...explorer.follows(axis, group.trials, y), name: group.name}))
      .filter(row => !Number.isNaN(row.worth));
    if (!told.length)
      return `No correlation: fewer than ${explorer.follows.enough} trials of a network, or all equally good.`;
    const list = told.map(row => `${row.name} ${explorer.follows.told(row)}`).join('; ');
    return axis.text
      ? `Variance of ranks explained: ${list}.`
      : `Rank correlation with ${explorer.judged_words}: ${list}.`;
  }

  // Cividis, cut to its readable middle: dark blue to yellow, told apart by the colour-blind.
  const RAMP = [
    [0, 52, 110],
    [64, 77, 107],
    [104, 104, 111],
    [139, 133, 117],
    [179, 164, 107],
    [221, 199, 77],
    [253, 231, 55],
  ];
  explorer.ramp = share => {
    const at = Math.min(Math.max(share, 0), 1) * (RAMP.length - 1),
      k = Math.min(Math.floor(at), RAMP.length - 2);
    return `rgb(${RAMP[k].map((low, j) => Math.round(low + (at - k) * (RAMP[k + 1][j] - low))).join(',')})`;
  };
  // The hyperparameters that can stand on the map, and what stands there when nothing is chosen.
  const varying = () => {
    const skip = new Set(['model', 'study', 'stage', 'status', 'epochs', explorer.judged]);
    return explorer.all_axes().filter(axis => !skip.has(axis.name));
  };
  const pairable = () => Object.fromEntries(varying().map(({name, label}) => [name, label]));
  const standard = (name, k) => {
    const names = varying().map(axis => axis.name);
    return names.includes(name) ? name : names[Math.min(k, names.length - 1)];
  };
  function draw_map() {
    const {data} = explorer,
      axes = explorer.all_axes();
    map.root.parentElement.hidden = varying().length < 2;
    if (varying().length < 2) return;
    across.fill();
    down.fill();
    const lr = axes.find(axis => axis.name === across.value),
      batch = axes.find(axis => axis.name === down.value);
    const y = explorer.compared_accuracy(),
      a = explorer.along({...lr, steps: lr.steps && (lr.text || lr.distinct.length < 3)}, data.n),
      b = explorer.along(batch, data.n);
    const [low, high] = explorer.spread(y, 0),
      every = Int32Array.from({length: data.n}, (_, i) => i),
      reached = i => (Number.isNaN(y[i]) ? NaN : a.x[i]);
    const x = Float32Array.from(every, reached);
    map.draw({
      summary: `${explorer.when()} Colour is ${explorer.judged_words}, the shape is the network.`,
      caption: explorer.epoch()
        ? `${explorer.judged_words} at epoch ${explorer.epoch()}`
        : `final ${explorer.judged_words}`,
      scale: {low, high, colour: explorer.ramp, title: explorer.judged_words},
      x: a.told,
      y: b.told,
      revision: `map ${lr.name} ${batch.name}`,
      lasso: lasso(x, b.x),
      marks: [
        {
          kind: 'points',
          x,
          y: b.x,
          trial: every,
          size: 5.5,
          outline: true,
          colour: i => explorer.ramp((y[i] - low) / (high - low || 1)),
        },
      ],
      tip: ({trial: i}) =>
        `${data.trials.trial_id[i]}, ${data.trials.model[i]}: ${[lr, batch].map(axis => `${axis.label} ${axis.text ? (axis.values[i] ?? 'absent') : explorer.number(axis.values[i])}`).join(', ')}, ${explorer.percent(y[i])}`,
      table: () => ({
        columns: [
          {name: 'trial_id'},
          {name: 'model'},
          {name: lr.name},
          {name: batch.name === lr.name ? `${lr.name}_again` : batch.name},
          {name: explorer.judged, show: explorer.percent},
        ],
        rows: [...every]
          .filter(i => explorer.selected[i] && explorer.compared(i))
          .map(i => [data.trials.trial_id[i], data.trials.model[i], lr.values[i], batch.values[i], y[i]]),
      }),
    });
    const gradient = element('i', {class: 'gradient', 'aria-hidden': 'true'});
    gradient.style.background = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map(explorer.ramp).join(',')})`;
    bar.replaceChildren(
      explorer.percent(low),
      gradient,
      `${explorer.percent(high)} ${explorer.judged_words}`,
    );
    const ready = lr.name === 'lr' && batch.name === 'batch_size';
    matrix.hidden = !ready;
    if (ready) cells(lr, batch, y, low, high);
  }
  // Batch sizes down, bands of the learning rate across: the best of each cell, which selects its trials.
  function cells(lr, batch, y, low, high) {
    if (explorer.selected_studies().length > 1) {
      explorer.one_study(matrix);
      matrix.prepend(element('h3', {}, 'Best of each cell'));
      return;
    }
    const flat = value => Math.log10(value),
      [from, to] = explorer.range(lr.values, true, 0),
      bands = 5;
    const edges = Array.from({length: bands + 1}, (_, k) =>
      Number((10 ** (flat(from) + ((flat(to) - flat(from)) * k) / bands)).toPrecision(3)),
    );
    edges[0] = Number((from * 0.999).toPrecision(3));
    edges[bands] = Number((to * 1.001).toPrecision(3));
    const sizes = batch.distinct.length <= 10 ? batch.distinct : [];
    const best = sizes.map(() => edges.slice(1).map(() => ({top: -Infinity, many: 0, model: ''})));
    for (let i = 0; i < y.length; i++) {
      if (!explorer.selected[i] || Number.isNaN(y[i]) || explorer.data.trials.status[i] === 'failed')
        continue;
      const down = sizes.indexOf(batch.values[i]),
        across = edges.slice(1).findIndex(edge => lr.values[i] < edge);
      if (down < 0 || across < 0) continue;
      best[down][across].many++;
      if (y[i] > best[down][across].top)
        Object.assign(best[down][across], {top: y[i], model: explorer.data.trials.model[i]});
    }
    const several_models = explorer.groups().length > 1;
    // What brushes the learning rate's axis for a column of cells: its steps, or a range.
    const band = k =>
      lr.steps
        ? {values: lr.distinct.filter(value => value >= edges[k] && value < edges[k + 1]).map(String)}
        : {low: edges[k], high: edges[k + 1], absent: false};
    const cell = (told, j, k) => {
      if (!told.many) return element('td', {}, '');
      const share = (told.top - low) / (high - low || 1),
        own = element(
          'button',
          {
            'data-focus': `${j} ${k}`,
            class: share > 0.41 ? 'bright' : 'dim', // where black stands out as much as white
            'aria-label': `batch ${sizes[j]}, lr ${edges[k]} to ${edges[k + 1]}: best ${explorer.percent(told.top)}, ${told.model}, of ${told.many}; select them`,
            onclick: () =>
              explorer.change({
                brushes: new Map([
                  ...state.brushes,
                  ['lr', band(k)],
                  ['batch_size', {values: [String(sizes[j])]}],
                ]),
              }),
          },
          explorer.percent(told.top),
          element('small', {}, `of ${told.many}`),
          several_models ? element('small', {class: 'network'}, told.model) : null,
        );
      own.style.background = explorer.ramp(share);
      return element('td', {}, own);
    };
    explorer.renew(
      matrix,
      element('h3', {}, 'Best of each cell'),
      element('p', {class: 'summary'}, 'Batch size down, learning rate across. A cell selects its trials.'),
      element(
        'div',
        {class: 'scroll'},
        element(
          'table',
          {class: 'cells'},
          element(
            'thead',
            {},
            element(
              'tr',
              {},
              element('th', {}, ''),
              edges
                .slice(1)
                .map((edge, k) =>
                  element(
                    'th',
                    {scope: 'col'},
                    `${explorer.number(edges[k], 2)}–${explorer.number(edge, 2)}`,
                  ),
                ),
            ),
          ),
          element(
            'tbody',
            {},
            best.map((row, j) =>
              element(
                'tr',
                {},
                element('th', {scope: 'row'}, String(sizes[j])),
                row.map((told, k) => cell(told, j, k)),
              ),
            ),
          ),
        ),
      ),
    );
  }

  explorer.views.push({
    id: 'trials',
    title: 'Trials',
    about:
      'Every trial by its settings and its accuracy. The best of many is optimistic, and a correlation is no cause: confirmed models tell more.',
    build,
    update: changes => {
      coordinates.refresh(changes);
      if (changes.hover) {
        for (const figure of [...slice_figures, map]) explorer.paint(figure);
        return;
      }
      if (find.value !== state.find) find.value = state.find;
      table();
      draw_slices();
      draw_map();
    },
  });
}
