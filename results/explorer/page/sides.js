// Two trials side by side: the settings in which they differ, their curves, and what they answered, class by class.
{
  const {element} = explorer;
  let figure = null; // one for every comparison

  // The rows in which the two differ, [name, first, second], and how many are the same.
  explorer.differences = (i, j) => {
    const {data} = explorer,
      none = value => value === null || Number.isNaN(value),
      shown = ({text, values}, k, digits) =>
        none(values[k]) ? 'absent' : text ? values[k] : explorer.number(values[k], digits),
      // numbers that differ in a later digit than is shown elsewhere are written to that digit
      pair = column => {
        const told = digits => [i, j].map(k => shown(column, k, digits)),
          [first, second] = [i, j].map(k => column.values[k]);
        return [4, 6, 9, 17].map(told).find(([a, b]) => a !== b) ?? (first === second ? told(4) : told(17));
      };
    const {trials} = data,
      final = explorer.at(data, explorer.judged, 0);
    const rows = [
      ['network', ...[i, j].map(k => trials.model[k])],
      ...data.columns.map(column => [column.name.replaceAll('_', ' '), ...pair(column).map(String)]),
      ['status', ...[i, j].map(k => trials.status[k])],
      ['epochs', ...[i, j].map(k => `${data.last[k]} of ${explorer.number(trials.asked[k])}`)],
      [`final ${explorer.judged_words}`, ...[i, j].map(k => explorer.percent(final[k], 2))],
      ['time in epochs', ...[i, j].map(k => explorer.duration(data.seconds[k]))],
    ];
    const apart = rows.filter(([, first, second]) => first !== second);
    return {apart, same: rows.length - apart.length};
  };

  // Trials that it can be set against: the selected ones, the best first.
  explorer.rivals = i => {
    const {data} = explorer,
      final = explorer.at(data, explorer.judged, 0),
      worth = k => (Number.isNaN(final[k]) ? -1 : final[k]);
    return [...data.key.keys()]
      .filter(k => k !== i && explorer.selected[k] && data.last[k])
      .sort((a, b) => worth(b) - worth(a))
      .slice(0, 100);
  };
  // An open dialog holds keys: rows move when an earlier study gets a trial.
  explorer.now = key => explorer.data.place.get(key);
  explorer.rival_field = i => {
    const {trials, key} = explorer.data,
      field = element(
        'select',
        {
          onchange: () =>
            field.value && explorer.side_by_side(explorer.now(key[i]), explorer.now(field.value)),
        },
        element('option', {value: ''}, 'another trial …'),
        explorer
          .rivals(i)
          .map(k => element('option', {value: key[k]}, `${trials.trial_id[k]}, ${trials.model[k]}`)),
      );
    return element('label', {}, 'Compare with ', field);
  };

  function curves(i, j) {
    const {data} = explorer,
      {start, epoch, [explorer.judged]: value} = data.epochs,
      all = [];
    const traces = [i, j].flatMap((k, second) => {
      const look = explorer.look(data.trials.model[k]),
        rows = [start[k], start[k + 1]],
        y = Array.from(value.subarray(...rows)),
        x = Array.from(epoch.subarray(...rows));
      all.push(...y.filter(Number.isFinite));
      return {
        x,
        y,
        name: data.trials.trial_id[k],
        mode: 'lines',
        text: x.map((at, n) => `${data.trials.trial_id[k]}, epoch ${at}: ${explorer.percent(y[n])}`),
        line: {
          color: second ? explorer.colours().ink : look.colour,
          width: 2.4,
          dash: second ? 'dash' : 'solid',
        },
      };
    });
    const most = Math.max(data.last[i], data.last[j], 2);
    figure.draw({
      summary: `Solid: ${data.trials.trial_id[i]}; dashed: ${data.trials.trial_id[j]}. Seeds differ by as much as settings may: two single trials are an example, no test.`,
      x: {title: 'epoch', range: [0.9, most + 0.1], whole: explorer.whole(0, most)},
      y: {title: explorer.judged_words, percent: true, range: explorer.spread(all)},
      revision: `${i} ${j}`,
      traces,
      marks: [],
      table: () => ({
        columns: [{name: 'trial_id'}, {name: 'epoch'}, {name: explorer.judged, show: explorer.percent}],
        rows: traces.flatMap(({name, x, y}) => x.map((at, n) => [name, at, y[n]])),
      }),
    });
  }

  // Recall of each class of two confirmed models, and the cell in which their answers differ most.
  function answers(i, j) {
    const told = explorer.answers,
      {key} = explorer.data,
      pair = [i, j].map(k => told?.networks.find(network => network.key === key[k]));
    if (!pair.every(Boolean))
      return element(
        'p',
        {class: 'quiet'},
        'Confusion is compared of confirmed models alone: a trial of the search answers no images one by one.',
      );
    const [first, second] = pair.map(network => explorer.confusion([network])),
      {size} = first,
      recall = ({whole, truth}, c) => (truth[c] ? whole[c * size + c] / truth[c] : NaN);
    const apart = first.whole.map((count, cell) => count - second.whole[cell]),
      wrong = [...apart.keys()].filter(cell => Math.floor(cell / size) !== cell % size),
      most = wrong.reduce((a, b) => (Math.abs(apart[b]) > Math.abs(apart[a]) ? b : a), wrong[0]),
      points = value =>
        Number.isNaN(value) ? '–' : `${value < 0 ? '−' : '+'}${(100 * Math.abs(value)).toFixed(1)}`;
    return element(
      'div',
      {},
      element('h4', {}, 'Confusion'),
      element(
        'p',
        {class: 'quiet'},
        `Recall of each class, and the difference in points. The largest difference in errors: ${told.classes[Math.floor(most / size)]} answered as ${told.classes[most % size]}, ${explorer.count(first.whole[most])} and ${explorer.count(second.whole[most])} images.`,
      ),
      explorer.plain_table({
        columns: [
          {name: 'class'},
          ...[i, j].map(k => ({name: explorer.data.trials.trial_id[k], show: explorer.percent})),
          {name: 'difference', show: points},
        ],
        rows: told.classes.map((name, c) => {
          const [a, b] = [recall(first, c), recall(second, c)];
          return [name, a, b, a - b];
        }),
      }),
    );
  }

  explorer.side_by_side = (i, j) => {
    const {trials, studies, key} = explorer.data,
      dialog = document.getElementById('detail'),
      {apart, same} = explorer.differences(i, j),
      box = element('div');
    const other = trials.study[i] !== trials.study[j];
    explorer.renew(
      dialog,
      element(
        'div',
        {class: 'head'},
        element('h3', {}, `${trials.trial_id[i]} and ${trials.trial_id[j]}`),
        element('button', {onclick: () => dialog.close(), 'aria-label': 'close'}, '✕'),
      ),
      element(
        'div',
        {class: 'controls'},
        [i, j].map(k =>
          element('button', {onclick: () => explorer.pin(explorer.now(key[k]))}, trials.trial_id[k]),
        ),
      ),
      other
        ? element(
            'p',
            {class: 'note'},
            `They are of ${studies[trials.study[i]].name} and ${studies[trials.study[j]].name}: compare accuracies only where both were judged on the same images.`,
          )
        : '',
      element('h4', {}, 'What differs'),
      explorer.plain_table({
        columns: [{name: ' '}, ...[i, j].map(k => ({name: trials.trial_id[k]}))],
        rows: apart,
      }),
      element('p', {class: 'quiet'}, `${explorer.count(same)} more are the same.`),
      box,
      answers(i, j),
    );
    if (!dialog.open) dialog.showModal();
    if (figure) box.append(figure.root);
    else figure = explorer.figure(box, {name: 'sides', title: 'Curves', height: 240});
    curves(i, j);
  };
}
