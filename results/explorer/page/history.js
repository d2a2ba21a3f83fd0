// The overview's pictures: the search as it went, who trained what and when, throughput and memory.
{
  const {element} = explorer;
  const ORDER = {trials: 'trials ended', time: 'wall-clock time'};
  const UNITS = [
    [48 * 3600e3, 'days', 86400e3],
    [2 * 3600e3, 'hours', 3600e3],
    [120e3, 'minutes', 60e3],
    [0, 'seconds', 1e3],
  ]; // [from so many ms on, unit, ms of it]
  const unit_of = span => UNITS.find(([least]) => span >= least) || UNITS.at(-1);
  let history, timeline, usage, chosen, key;

  function build(section) {
    chosen = {order: explorer.choice('history', 'Against', ORDER, 'trials')};
    key = element('p', {class: 'key'});
    const three = element('div', {class: 'three', id: 'history'});
    section.append(key, three);
    history = explorer.figure(three, {
      name: 'history',
      title: 'Optimisation history',
      height: 300,
      controls: [chosen.order.box],
    });
    timeline = explorer.figure(three, {name: 'timeline', title: 'Timeline of trials', height: 300});
    usage = explorer.figure(three, {name: 'usage', title: 'Throughput and memory', height: 300});
  }

  // Milliseconds from the first start of each study to the last that was heard of any, as of trials that still run.
  const span = first =>
    explorer.heard(explorer.data).reduce((most, when, study) => Math.max(most, when - first[study] || 0), 0);

  // The trials of the searches that ended, study by study in the order of their ends.
  function ended() {
    const {data} = explorer,
      {study, ended_at: end} = data.trials;
    return [...Array(data.n).keys()]
      .filter(i => explorer.compared(i) && !Number.isNaN(end[i]))
      .sort((a, b) => study[a] - study[b] || end[a] - end[b]);
  }
  const began = () => {
    const {started_at: start, study} = explorer.data.trials,
      first = explorer.data.studies.map(() => Infinity);
    start.forEach((when, i) => {
      if (when < first[study[i]]) first[study[i]] = when;
    });
    return first;
  };

  function draw_history() {
    const {data} = explorer,
      rows = ended(),
      y = explorer.at(data, explorer.judged, 0),
      first = began(),
      by_time = chosen.order.value === 'time',
      [, unit, ms] = unit_of(span(first)),
      x = new Float64Array(data.n).fill(NaN),
      many = new Map();
    for (const i of rows) {
      const study = data.trials.study[i],
        number = (many.get(study) || 0) + 1;
      many.set(study, number);
      x[i] = by_time ? (data.trials.ended_at[i] - first[study]) / ms : number;
    }
    const groups = explorer.groups(i => !Number.isNaN(x[i]) && data.trials.status[i] !== 'failed');
    const lines = groups.map(({model, name, trials}) => {
      const look = explorer.look(model),
        trace = {name: `${name}, best so far`, mode: 'lines', x: [], y: []};
      let top = -Infinity;
      for (const i of trials.sort((a, b) => x[a] - x[b])) {
        top = Math.max(top, Number.isNaN(y[i]) ? -Infinity : y[i]);
        if (!Number.isFinite(top)) continue;
        trace.x.push(x[i]);
        trace.y.push(top);
      }
      return {...trace, hoverinfo: 'skip', line: {shape: 'hv', width: 2, color: look.colour}};
    });
    const kind = status => rows.filter(i => data.trials.status[i] === status);
    const at = list => ({
      trial: Int32Array.from(list),
      x: Float64Array.from(list, i => x[i]),
      y: Float32Array.from(list, i => y[i]),
    });
    const stopped = kind('stopped'),
      rest = rows.filter(i => data.trials.status[i] !== 'stopped'),
      top = rows
        .filter(i => data.trials.status[i] !== 'failed' && !Number.isNaN(y[i])) // of it the line knows nothing
        .reduce((best, i) => (best < 0 || y[i] > y[best] ? i : best), -1),
      beside = rows.filter(i => data.trials.study[i] === data.trials.study[top]),
      whose = data.studies.length > 1 ? ` of ${data.studies[data.trials.study[top]]?.name}` : '';
    history.root.hidden = !rows.length;
    if (!rows.length) return;
    history.draw({
      summary:
        `Final ${explorer.judged_words} of each trial; the line is the best so far of each network, crosses were stopped early.` +
        (top < 0
          ? ''
          : ` The highest, ${explorer.percent(y[top])}, came with trial ${beside.indexOf(top) + 1} of the ${explorer.count(beside.length)}${whose}.`) +
        ` ${explorer.apart()}`.trimEnd(),
      x: {
        title: by_time ? `${unit} since the start` : 'trials ended',
        range: explorer.range(x, false, 0.03),
        whole: by_time ? 0 : explorer.whole(...explorer.range(x)),
      },
      y: {
        title: `final ${explorer.judged_words}`,
        percent: true,
        range: explorer.spread(y.filter((_, i) => x[i] >= 0)),
      },
      revision: chosen.order.value,
      traces: lines,
      marks: [
        {kind: 'points', ...at(rest), size: 3.6},
        {kind: 'points', ...at(stopped), symbol: 'x', size: 3},
      ],
      lasso: explorer.lasso(x, y),
      tip: ({trial: i}) =>
        `${data.trials.trial_id[i]}, ${data.trials.model[i]}: ${explorer.percent(y[i])} at epoch ${data.last[i]}`,
      table: () => ({
        columns: [
          {name: 'trial_id'},
          {name: 'model'},
          {name: by_time ? unit : 'order'},
          {name: 'epoch'},
          {name: explorer.judged, show: explorer.percent},
          {name: 'status'},
        ],
        rows: rows.map(i => [
          data.trials.trial_id[i],
          data.trials.model[i],
          x[i],
          data.last[i],
          y[i],
          data.trials.status[i],
        ]),
      }),
    });
  }

  // Each trial in the first row that is free when it begins: as many rows as trials ran at once.
  explorer.lanes = (order, start, end) => {
    const free = [],
      lane = new Map();
    for (const i of order) {
      let row = free.findIndex(until => until <= start[i]);
      if (row < 0) row = free.length;
      free[row] = end[i];
      lane.set(i, row);
    }
    return lane;
  };

  function draw_timeline() {
    const {data} = explorer,
      {started_at: start, ended_at, node, study, device} = data.trials,
      first = began(),
      [, unit, ms] = unit_of(span(first)),
      now = explorer.heard(data),
      end = ended_at.map((when, i) => (Number.isNaN(when) ? Math.max(now[study[i]], start[i]) : when)),
      order = [...Array(data.n).keys()].filter(i => start[i] > 0).sort((a, b) => start[a] - start[b]),
      x = new Float64Array(2 * data.n).fill(NaN),
      y = new Float32Array(2 * data.n).fill(NaN),
      places = new Map(),
      row_of = new Map();
    for (const i of order) {
      const place = JSON.stringify([study[i], node?.[i] || '']);
      if (!places.has(place)) places.set(place, []);
      places.get(place).push(i);
    }
    let rows = 0;
    const ticks = {at: [], text: []};
    for (const [place, own] of [...places].sort()) {
      const lane = explorer.lanes(own, start, end),
        many = Math.max(...lane.values()) + 1,
        [number, name] = JSON.parse(place);
      for (const [i, row] of lane) row_of.set(i, rows + row);
      for (let k = 0; k < many; k++) {
        ticks.at.push(rows + k);
        ticks.text.push(
          [data.studies.length > 1 ? data.studies[number].name : '', name || 'worker', k + 1]
            .filter(Boolean)
            .join(' '),
        );
      }
      rows += many;
    }
    for (const [i, row] of row_of) {
      x[2 * i] = (start[i] - first[study[i]]) / ms;
      x[2 * i + 1] = (end[i] - first[study[i]]) / ms;
      y[2 * i] = y[2 * i + 1] = row;
    }
    const at_end = wanted => {
      const list = order.filter(wanted);
      return {
        trial: Int32Array.from(list),
        x: Float64Array.from(list, i => x[2 * i + 1]),
        y: Float32Array.from(list, i => y[2 * i]),
      };
    };
    const {lost} = data,
      again = lost.trial || [];
    const behind = new Set(again),
      restarted = order.filter(i => data.trials.retries[i] > 0 || behind.has(i)),
      width = Math.max(2, Math.min(12, 170 / Math.max(rows, 1)));
    timeline.draw({
      summary:
        `A bar from each trial’s start to its end, a row for each that ran at once; crosses were stopped, triangles failed.` +
        (restarted.length
          ? ` ${explorer.count(restarted.length)} restarted: dark gaps are the time lost.`
          : ' No restart is recorded.'),
      x: {title: `${unit} since the start`, range: explorer.range(x, false, 0.02)},
      y: {
        title: '',
        range: [-0.7, Math.max(rows, 1) - 0.3],
        ticks: rows <= 16 ? {...ticks, text: ticks.text.map(text => text.replaceAll('<', '&lt;'))} : null,
      },
      revision: 'timeline',
      marks: [
        {kind: 'lines', x, y, start: Int32Array.from({length: data.n + 1}, (_, i) => 2 * i), width},
        {
          kind: 'points',
          symbol: 'x',
          size: 3,
          ink: true,
          ...at_end(i => data.trials.status[i] === 'stopped'),
        },
        {
          kind: 'points',
          symbol: 'triangle-up',
          size: 4,
          ink: true,
          ...at_end(i => data.trials.status[i] === 'failed'),
        },
      ],
      traces: Array.from(again, (i, k) => ({
        name: 'time lost to a restart',
        showlegend: !k,
        mode: 'lines',
        over: true,
        x: [lost.from[k], lost.to[k]].map(when => (when - first[study[i]]) / ms),
        y: [row_of.get(i), row_of.get(i)],
        line: {width: Math.max(2, width / 2), color: explorer.colours().ink},
      })),
      tip: ({trial: i}) =>
        `${data.trials.trial_id[i]}, ${data.trials.model[i]}: ${explorer.duration((end[i] - start[i]) / 1000)} on ${device[i] || 'no device'}, ${data.trials.status[i]}${data.trials.retries[i] ? `, retries: ${data.trials.retries[i]}` : ''}`,
      table: () => ({
        columns: [
          'trial_id',
          'model',
          'node',
          'device',
          'row',
          `start_${unit}`,
          `end_${unit}`,
          'status',
          'retries',
        ].map(name => ({name})),
        rows: order.map(i => [
          data.trials.trial_id[i],
          data.trials.model[i],
          node?.[i] || '',
          device[i] || '',
          row_of.get(i) + 1,
          x[2 * i],
          x[2 * i + 1],
          data.trials.status[i],
          data.trials.retries[i],
        ]),
      }),
    });
  }

  function draw_usage() {
    const {data} = explorer,
      {images_per_second: speed, memory_mib: memory} = data.trials,
      every = Int32Array.from({length: data.n}, (_, i) => i),
      there = every.filter(i => speed[i] > 0 && memory[i] > 0);
    usage.root.hidden = !there.length;
    if (!there.length) return;
    const models = Object.keys(data.styles).map(model => {
      const own = [...there].filter(i => data.trials.model[i] === model).map(i => speed[i]);
      own.sort((a, b) => a - b);
      const median = (own[(own.length - 1) >> 1] + own[own.length >> 1]) / 2;
      return own.length ? `${model} ${explorer.number(Math.round(median))}` : '';
    });
    usage.draw({
      summary: `Images a second of training alone, the median of a trial’s epochs, and the peak memory: of the trial on a CUDA device, elsewhere of its worker process, which may have trained others before. Median of each network: ${explorer.listed(models.filter(Boolean))} images/s. Trials that share a machine slow each other.`,
      x: {title: 'peak memory, MiB', range: explorer.range(memory, false)},
      y: {title: 'images per second', range: [0, 1.06 * speed.reduce((a, b) => (b > a ? b : a), 0)]},
      revision: 'usage',
      marks: [{kind: 'points', x: memory, y: speed, trial: every}],
      lasso: explorer.lasso(memory, speed),
      tip: ({trial: i}) =>
        `${data.trials.trial_id[i]}, ${data.trials.model[i]}: ${explorer.number(speed[i], 3)} images/s, ${explorer.number(Math.round(memory[i]))} MiB`,
      table: () => ({
        columns: ['trial_id', 'model', 'images_per_second', 'memory_mib'].map(name => ({name})),
        rows: [...there].map(i => [data.trials.trial_id[i], data.trials.model[i], speed[i], memory[i]]),
      }),
    });
  }

  explorer.views.push({
    id: 'overview',
    title: 'Overview',
    build,
    update: changes => {
      if (changes.hover) {
        for (const figure of [history, timeline, usage]) explorer.paint(figure);
        return;
      }
      chosen.order.fill();
      explorer.key(key);
      draw_history();
      if (changes.data) {
        draw_timeline();
        draw_usage();
      } else for (const figure of [timeline, usage]) explorer.paint(figure); // a selection moves no mark of theirs
    },
  });
}
