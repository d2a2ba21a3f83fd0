// The view of the answers: confusion of the chosen networks, by class, and a cell's very faces.
{
  const {element, state} = explorer;
  const SCOPES = {'val+test': 'val and test', val: 'val', test: 'test', unseen: 'test without duplicates'};
  let told = null,
    matrix,
    classes,
    models,
    faces,
    sentence,
    scope,
    first,
    second;

  // The answers decoded, once they have come. Nothing of them is needed for the other views.
  explorer.take_answers = payload => {
    const {images} = payload,
      rows = payload.rows.map(explorer.array);
    told = {
      ...payload,
      images: {
        digest: explorer.words(images.digest),
        split: explorer.words(images.split),
        image: explorer.array(images.image),
        label: explorer.array(images.label),
        duplicate: explorer.array(images.duplicate),
      },
      networks: payload.networks.map(network => ({
        ...network,
        key: `${network.study}:${network.trial}`,
        rows: rows[network.rows],
        guess: explorer.array(network.guess),
        probability: explorer.array(network.probability),
      })),
      attention: payload.attention.map(maps => ({
        ...maps,
        key: `${maps.study}:${maps.trial}`,
        rows: explorer.array(maps.rows),
        weights: explorer.array(maps.weights),
      })),
    };
    explorer.answers = told;
    if (explorer.data) explorer.refresh('faces');
  };

  // The networks of the selection: confirmed trials in it, and those confirmed because of a trial in it.
  explorer.networks = () => {
    const {data} = explorer,
      because = new Set();
    for (const [number, study] of data.studies.entries())
      for (const {setting, from_trial} of study.chosen) {
        const i = data.place.get(`${number}:${from_trial}`);
        if (i !== undefined && explorer.selected[i]) because.add(`${number} ${setting}`);
      }
    return told.networks.filter(
      network =>
        explorer.selected[data.place.get(network.key)] || because.has(`${network.study} ${network.setting}`),
    );
  };
  explorer.in_scope = row => {
    const split = told.images.split[row];
    return (
      state.scope === 'val+test' ||
      split === state.scope ||
      (state.scope === 'unseen' && split === 'test' && !told.images.duplicate[row])
    );
  };
  // Counts, truth down, answer across, mean over the networks; and `truth`, the images of each class, also those that a
  // network which diverged gave no answer of. Whole numbers are summed, whose sums are exact.
  explorer.confusion = networks => {
    const size = told.classes.length,
      whole = new Float64Array(size * size),
      truth = new Float64Array(size);
    for (const {rows, guess} of networks)
      for (let k = 0; k < rows.length; k++) {
        if (!explorer.in_scope(rows[k])) continue;
        const label = told.images.label[rows[k]];
        truth[label]++;
        if (guess[k] < size) whole[label * size + guess[k]]++;
      }
    const mean = sums => sums.map(sum => sum / networks.length);
    return {size, whole: mean(whole), truth: mean(truth)};
  };

  function build(section) {
    sentence = element('p', {class: 'summary', id: 'faces-summary'});
    scope = element(
      'select',
      {onchange: () => explorer.change({scope: scope.value})},
      Object.entries(SCOPES).map(([value, text]) => element('option', {value}, text)),
    );
    first = explorer.choice('matrix', 'Model', choices, best_setting);
    second = explorer.choice('less', 'minus', () => ({none: 'none', ...choices()}), 'none');
    matrix = element('figure', {id: 'figure-confusion'});
    classes = element('figure', {id: 'figure-classes'});
    models = element('figure', {id: 'figure-models'});
    faces = element('div', {id: 'figure-faces'});
    section.append(
      element('div', {class: 'controls'}, element('label', {}, 'Images of ', scope)),
      sentence,
      models,
      element('div', {class: 'pair'}, matrix, classes),
      faces,
    );
  }

  // Networks by setting, which is named with its study where there are several.
  const grouped = networks => {
    const found = new Map(),
      several = explorer.data.studies.length > 1;
    for (const network of networks) {
      const {setting, study} = network,
        name = several ? `${setting} (${explorer.data.studies[study].name})` : setting;
      found.set(name, [...(found.get(name) || []), network]);
    }
    return found;
  };
  // The selected models by setting, those of each together; the best on val is shown first.
  const by_setting = () => grouped(told?.networks.length ? explorer.networks() : []);
  const choices = () => {
    const names = [...by_setting().keys()];
    return Object.fromEntries([
      ...names.map(name => [`s ${name}`, name]),
      ...(names.length > 1 ? [['all', 'mean of all selected']] : []),
    ]);
  };
  // By a measure, what a network is worth on the images that are wanted (fer_stats.measures): what it gave no answer to is
  // wrong. Of several networks the mean.
  const worth = (explorer.worth = (networks, measure, wanted) => {
    const each = networks.map(network => {
      const [truth, said, hits] = Array.from({length: 3}, () => new Float64Array(told.classes.length)),
        {rows, guess} = network;
      for (let k = 0; k < rows.length; k++) {
        if (!wanted(rows[k], network)) continue;
        const label = told.images.label[rows[k]];
        truth[label]++;
        if (guess[k] < said.length) said[guess[k]]++;
        if (guess[k] === label) hits[label]++;
      }
      const there = [...truth.keys()].filter(c => truth[c]),
        sum = of => there.reduce((all, c) => all + of(c), 0);
      if (measure === 'val_balanced_accuracy') return sum(c => hits[c] / truth[c]) / (there.length || 1);
      if (measure === 'val_macro_f1')
        return sum(c => (2 * hits[c]) / (truth[c] + said[c])) / (there.length || 1);
      return sum(c => hits[c]) / (sum(c => truth[c]) || 1);
    });
    return each.reduce((a, b) => a + b, 0) / each.length;
  });
  // What a setting's networks reached on val by what the studies were judged by, on the images on which that was.
  const val_worth = (explorer.val_worth = networks =>
    worth(
      networks,
      explorer.judged,
      (row, {study}) =>
        told.images.split[row] === 'val' &&
        !(explorer.data.studies[study].without_copies && told.images.duplicate[row]),
    ));
  const best_setting = () => {
    const ranked = [...by_setting()].map(([name, networks]) => [val_worth(networks), name]);
    ranked.sort((a, b) => b[0] - a[0]);
    return ranked.length ? `s ${ranked[0][1]}` : 'all';
  };
  const models_of = choice =>
    choice === 'all' ? explorer.networks() : by_setting().get(choice.slice(2)) || explorer.networks();

  const signed = count => (count > 0 ? '+' : count < 0 ? '−' : '') + small(Math.abs(count));
  const small = explorer.whole_or_tenth;
  const tools = (name, table) =>
    explorer.tools(explorer.saver('CSV', name, () => explorer.save_csv(name, table())));

  // Counts of one setting, or, with `less`, what it has more than another.
  function draw_matrix({size, whole, truth}, many, less) {
    const sums = less ? less.truth : truth;
    const counts = less ? whole.map((count, k) => count - less.whole[k]) : whole;
    const cell = (j, k) => {
      const count = counts[j * size + k],
        share = sums[j] ? count / sums[j] : 0,
        percent = Number(explorer.fixed(100 * share, 0)),
        on = state.cell && state.cell[0] === j && state.cell[1] === k,
        say = less ? signed : small;
      const own = element(
        'td',
        {class: `cell${less && (j === k ? count < 0 : count > 0) ? ' worse' : ''}`},
        element(
          'button',
          {
            'data-focus': `${j} ${k}`,
            'aria-pressed': String(Boolean(on)),
            'aria-label': `${told.classes[j]} answered as ${told.classes[k]}: ${say(count)} images, ${percent} %`,
            tabindex: (state.cell ? on : !j && !k) ? 0 : -1,
            onclick: () => explorer.change({cell: [j, k], faces: 'cell'}),
            onkeydown: event => walk(event, j, k, size),
          },
          say(count),
          element('small', {}, `${percent}%`),
        ),
      );
      own.style.setProperty('--a', Math.min(1, Math.abs(share) * (less ? 4 : 1)).toFixed(2));
      return own;
    };
    const table = () => ({
      columns: [{name: 'truth'}, ...told.classes.map(name => ({name}))],
      rows: told.classes.map((name, j) => [name, ...counts.slice(j * size, (j + 1) * size)]),
    });
    explorer.renew(
      matrix,
      element('h3', {}, 'Confusion'),
      element('div', {class: 'controls'}, first.box, second.box),
      element(
        'p',
        {class: 'summary'},
        less
          ? `Rows: true class; columns: predicted. Images that the first has more of than the second; orange: the first does worse.`
          : `Rows: true class; columns: predicted; ${many === 1 ? 'one model' : `mean of ${many} models`}. A cell shows its faces.`,
      ),
      element(
        'table',
        {class: 'matrix'},
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            element('th', {class: 'row'}, 'truth ↓'),
            told.classes.map(name => element('th', {class: 'col', scope: 'col', title: name}, name)),
          ),
        ),
        element(
          'tbody',
          {},
          told.classes.map((name, j) =>
            element(
              'tr',
              {},
              element('th', {class: 'row', scope: 'row'}, name),
              Array.from({length: size}, (_, k) => cell(j, k)),
            ),
          ),
        ),
      ),
      tools('confusion', table),
    );
  }
  // The arrows walk the matrix, which is one stop of the Tab key.
  function walk(event, j, k, size) {
    const step = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[event.key];
    if (!step) return;
    event.preventDefault();
    const to = [j + step[0], k + step[1]];
    if (to.some(place => place < 0 || place >= size)) return;
    const buttons = matrix.querySelectorAll('td.cell button');
    for (const button of buttons) button.tabIndex = -1;
    const next = buttons[to[0] * size + to[1]];
    next.tabIndex = 0;
    next.focus();
  }
  function draw_classes({size, whole, truth}) {
    const rows = told.classes.map((name, j) => {
      const images = truth[j],
        hits = whole[j * size + j];
      let answers = 0;
      for (let i = 0; i < size; i++) answers += whole[i * size + j];
      const recall = images ? hits / images : NaN,
        precision = answers ? hits / answers : NaN;
      return [
        name,
        images,
        recall,
        ...explorer.wilson(hits, images),
        answers,
        precision,
        ...explorer.wilson(hits, answers),
        (2 * hits) / (images + answers),
      ];
    });
    const table = {
      columns: [
        'class',
        'images',
        'recall',
        'recall_low',
        'recall_high',
        'answers',
        'precision',
        'precision_low',
        'precision_high',
        'f1',
      ].map(name => ({name})),
      rows,
    };
    const range = (low, high) =>
      Number.isNaN(low) ? '–' : `${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)}`;
    classes.replaceChildren(
      element('h3', {}, 'By class'),
      element(
        'p',
        {class: 'summary'},
        'Recall and precision with their 95 % intervals by the choice of images (Wilson).',
      ),
      element(
        'div',
        {class: 'scroll', tabindex: 0},
        element(
          'table',
          {},
          explorer.heads(['class', 'images', 'recall', '95 %', 'precision', '95 %', 'F1']),
          element(
            'tbody',
            {},
            rows.map(row =>
              element(
                'tr',
                {},
                element('td', {class: 'word'}, row[0]),
                [
                  small(row[1]),
                  explorer.percent(row[2]),
                  range(row[3], row[4]),
                  explorer.percent(row[6]),
                  range(row[7], row[8]),
                  explorer.percent(row[9]),
                ].map(text => element('td', {}, text)),
              ),
            ),
          ),
        ),
      ),
      tools('classes', () => table),
    );
  }
  // Every confirmed setting by class: its accuracy, and its recall of each. A row selects its trials.
  function draw_models(chosen) {
    const on = new Set(chosen.map(network => network.key)),
      rows = [];
    for (const [name, networks] of grouped(told.networks)) {
      const {size, whole, truth} = explorer.confusion(networks),
        hits = Array.from(truth, (_, j) => whole[j * size + j]),
        recall = hits.map((right, j) => (truth[j] ? right / truth[j] : NaN)),
        sum = values => values.reduce((a, b) => a + b, 0);
      rows.push({
        name,
        networks,
        model: networks[0].model,
        accuracy: sum(hits) / sum(truth), // what gave no answer is wrong (fer_stats.measures)
        judged: sum(truth) ? worth(networks, explorer.judged, explorer.in_scope) : NaN,
        recall,
        on: networks.every(network => on.has(network.key)),
      });
    }
    // what the studies were judged by has a column of its own where that isn't accuracy
    const by = explorer.judged === 'val_accuracy' ? [] : [explorer.judged_measure];
    const pick = row => explorer.pick(new Set(row.networks.map(network => network.key)));
    const table = () => ({
      columns: [
        {name: 'setting'},
        {name: 'network'},
        {name: 'seeds'},
        {name: 'accuracy'},
        ...by.map(name => ({name})),
        ...told.classes.map(name => ({name})),
      ],
      rows: rows.map(row => [
        row.name,
        row.model,
        row.networks.length,
        row.accuracy,
        ...by.map(() => row.judged),
        ...row.recall,
      ]),
    });
    explorer.renew(
      models,
      element('h3', {}, 'Confirmed models'),
      element(
        'p',
        {class: 'summary'},
        `${['Accuracy', ...by].join(', ')} and recall of each class. A row selects its trials everywhere.`,
      ),
      element(
        'div',
        {class: 'scroll', tabindex: 0},
        element(
          'table',
          {class: 'models'},
          explorer.heads(['setting', 'seeds', 'accuracy', ...by, ...told.classes]),
          element(
            'tbody',
            {},
            rows.map(row =>
              element(
                'tr',
                {class: row.on ? '' : 'out'},
                element(
                  'td',
                  {class: 'word'},
                  element(
                    'button',
                    {'aria-pressed': String(row.on && explorer.narrowed()), onclick: () => pick(row)},
                    explorer.swatch(row.model),
                    row.name,
                  ),
                ),
                element('td', {}, String(row.networks.length)),
                element('td', {}, explorer.percent(row.accuracy)),
                by.map(() => element('td', {}, explorer.percent(row.judged))),
                row.recall.map(share => {
                  const cell = element('td', {class: 'heat'}, explorer.percent(share, 0));
                  cell.style.setProperty('--a', ((share || 0) * 0.55).toFixed(2));
                  return cell;
                }),
              ),
            ),
          ),
        ),
      ),
      tools('confirmed', table),
    );
  }

  // What is shown of a network that is no better than one class answered always is that of a constant.
  function unlearned(chosen) {
    const all = grouped(chosen),
      names = [...grouped(chosen.filter(network => network.unlearned))].map(([name, {length}]) => {
        const seeds = all.get(name).length;
        return length < seeds ? `${name} (${length} of ${seeds} seeds)` : name;
      });
    return names.length
      ? ` ${explorer.listed(names)} ${names.length > 1 ? 'have' : 'has'} not learned: no better than one class answered always.`
      : '';
  }

  // Networks that answered other images have one matrix only by accident.
  function other_images(chosen) {
    const several = new Set(chosen.map(network => explorer.data.studies[network.study].digest)).size > 1;
    return several
      ? ' They answered the images of different data sets: choose the models of one for what is said below.'
      : '';
  }

  explorer.views.push({
    id: 'faces',
    title: 'Confusion and faces',
    about:
      'What confirmed models answer, class by class and face by face. A cell of a few images may be chance, and labels may be wrong.',
    build,
    update: changes => {
      if (changes.hover || changes.moving) return;
      scope.value = state.scope;
      const none = !told || !told.networks.length,
        chosen = none ? [] : explorer.networks();
      for (const box of [matrix, classes, faces]) box.hidden = !chosen.length;
      models.hidden = none;
      if (!none) draw_models(chosen);
      if (!chosen.length) {
        sentence.textContent = !told
          ? 'The answers are being read.'
          : none
            ? 'No confirmed model has answered images yet: the confirmation writes them.'
            : 'None of the selected trials was confirmed, so no model of theirs has answered images. Choose a row, or clear the selection.';
        return;
      }
      const names = [...grouped(chosen).keys()],
        listed = [...names.slice(0, 8), ...(names.length > 8 ? [`${names.length - 8} more`] : [])];
      sentence.textContent = `${chosen.length === 1 ? 'One model' : `${chosen.length} models`} of the selection: ${explorer.listed(listed)}.${unlearned(chosen)}${other_images(chosen)}`;
      first.fill();
      second.fill();
      const shown = models_of(first.value),
        other = second.value === 'none' ? null : models_of(second.value),
        counts = explorer.confusion(shown);
      draw_matrix(counts, shown.length, other && explorer.confusion(other));
      draw_classes(counts);
      explorer.draw_faces(
        faces,
        told,
        state.faces === 'cell' ? [...new Set([...shown, ...(other || [])])] : chosen,
      );
    },
  });
}
