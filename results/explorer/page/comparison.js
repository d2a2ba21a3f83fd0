// The view of what matters: influence of each hyperparameter, networks at equal budget, accuracy against cost.
{
  const {element} = explorer;
  const BUDGETS = {
    trials: 'trials',
    epochs: 'epochs',
    seconds: 'seconds of computing',
    multiply_adds: 'multiply-adds of training',
  };
  const COSTS = {
    seconds: 'seconds in epochs',
    epochs: 'epochs run',
    parameters: 'parameters',
    multiply_adds: 'multiply-adds of one image',
  };
  let influence, budget, cost, chosen, written, key;

  function build(section) {
    chosen = {
      budget: explorer.choice('budget', 'Against', BUDGETS, 'epochs'),
      cost: explorer.choice('cost', 'Against', COSTS, 'seconds'),
    };
    key = element('p', {class: 'key'});
    section.append(key);
    const pair = element('div', {class: 'three'});
    section.append(pair);
    const measure = explorer.judged_measure;
    influence = explorer.figure(pair, {name: 'influence', title: `Correlation with ${measure}`, height: 340});
    budget = explorer.figure(pair, {
      name: 'budget',
      title: 'Networks at equal budget',
      height: 340,
      controls: [chosen.budget.box],
    });
    cost = explorer.figure(pair, {
      name: 'cost',
      title: `${measure[0].toUpperCase()}${measure.slice(1)} and its cost`,
      height: 340,
      controls: [chosen.cost.box],
    });
    const word = text => element('p', {class: 'quiet'}, text);
    written = element('div', {class: 'written', id: 'written-comparison'}, word('Comparing the models …'));
    section.append(
      written,
      element('div', {class: 'written', id: 'written-searches'}, word('Working out importance …')),
    );
  }
  const parameters = () => {
    const skip = new Set(['model', 'study', 'stage', 'status', 'epochs', explorer.judged]);
    return explorer.all_axes().filter(axis => !skip.has(axis.name));
  };
  explorer.influences = () => {
    const y = explorer.compared_accuracy();
    return explorer
      .groups()
      .flatMap(({study, model, name: group, trials}) =>
        parameters().map(axis => ({
          study,
          model,
          group,
          name: axis.name,
          label: axis.label,
          ...explorer.follows(axis, trials, y),
        })),
      )
      .filter(row => !Number.isNaN(row.worth));
  };
  function draw_influence() {
    const rows = explorer.influences(),
      names = parameters()
        .map(axis => axis.name)
        .reverse();
    const models = Object.keys(explorer.data.styles),
      label = name => name.replaceAll('_', ' ');
    const traces = models.map((model, k) => {
      const own = rows.filter(row => row.model === model),
        look = explorer.look(model),
        shift = models.length > 1 ? (k / (models.length - 1) - 0.5) * 0.4 : 0;
      return {
        mode: 'markers',
        name: model,
        x: own.map(row => row.worth),
        y: own.map(row => names.indexOf(row.name) - shift),
        text: own.map(row => `${row.group}, ${row.label}: ${explorer.follows.told(row)}`),
        hoverinfo: 'text',
        marker: {
          size: 10,
          symbol: own.map(row => look.symbol + (row.words ? '-open' : '')),
          color: look.colour,
          line: {width: 2, color: look.colour},
        },
        error_x: {
          type: 'data',
          symmetric: false,
          array: own.map(row => Math.max(0, -row.worth)),
          arrayminus: own.map(row => Math.max(0, row.worth)),
          width: 0,
          thickness: 1.5,
          color: look.colour,
        },
      };
    });
    const {share} = explorer.follows,
      top = rows
        .filter(row => share(row) > 0)
        .reduce((best, row) => (!best || share(row) > share(best) ? row : best), null);
    influence.draw({
      empty: !rows.length,
      summary: rows.length
        ? `${explorer.when()} ${top ? `Strongest: ${top.label} of ${top.group} (${explorer.follows.told(top)}).` : 'None explains more than chance would.'} Filled: rank correlation; hollow: share of rank variance explained (η²). Neither sees interactions.`
        : `${explorer.when()} No correlation is shown for fewer than ${explorer.follows.enough} trials of a network, nor where most are equally good.`,
      x: {title: `rank correlation with ${explorer.judged_words}`, range: [-1.05, 1.05]},
      y: {
        title: '',
        range: [-0.6, Math.max(names.length, 1) - 0.4],
        ticks: {at: names.map((_, k) => k), text: names.map(name => label(name).replaceAll('<', '&lt;'))},
      },
      lines: [{x: 0}],
      traces,
      table: () => ({
        columns: ['study', 'network', 'hyperparameter', 'trials', 'spearman', 'eta_squared'].map(name => ({
          name,
        })),
        rows: rows.map(row => [
          explorer.data.studies[row.study].name,
          row.model,
          row.name,
          row.trials,
          row.words ? NaN : row.worth,
          row.words ? row.worth : NaN,
        ]),
      }),
    });
  }
  // Expected best of n trials of each network (results.facts.search.expected), at what n of them cost on average.
  function draw_budget() {
    const {data} = explorer,
      against = chosen.budget.value,
      y = explorer.at(data, explorer.judged, 0),
      traces = [],
      rows = [];
    const cost_of = i =>
      ({
        trials: 1,
        epochs: data.last[i],
        seconds: data.trials.computing[i],
        multiply_adds: 3 * data.trials.multiply_adds[i] * data.last[i] * data.trials.images[i],
      })[against];
    const costs = []; // of any selection, so that a brush moves no axis
    let on_gpus = true;
    for (let i = 0; i < data.n; i++)
      if (data.last[i] && data.trials.stage[i] === 'search') {
        costs.push(cost_of(i));
        on_gpus &&= data.trials.gpus[i] > 0;
      }
    const told = against === 'seconds' && on_gpus ? 'GPU-seconds' : BUDGETS[against];
    const reached = y.filter((_, i) => data.trials.stage[i] === 'search');
    const searched = i => data.trials.stage[i] === 'search' && data.trials.status[i] !== 'running';
    const mean = values => values.reduce((a, b) => a + b, 0) / values.length,
      groups = explorer
        .groups(searched)
        .filter(({trials}) => trials.length > 1)
        .map(group => ({...group, each: mean(group.trials.map(cost_of))}));
    for (const {study, model, name, trials: done, each} of groups) {
      const most = done.length,
        had = Math.min(...groups.filter(one => one.study === study).map(one => one.each * one.trials.length)),
        same = each ? Math.max(1, Math.floor((had * 1.0001) / each)) : most, // for what each network had
        some = Array.from({length: 60}, (_, k) => Math.round(most ** (k / 59)));
      const at =
        most <= 60
          ? Array.from({length: most}, (_, k) => k + 1)
          : [...new Set([...some, Math.min(same, most)])].sort((a, b) => a - b);
      const found = explorer.expected_best(
          done.map(i => (Number.isNaN(y[i]) || data.trials.status[i] === 'failed' ? 0 : y[i])),
          at,
        ),
        x = at.map(n => n * each),
        look = explorer.look(model);
      traces.push(
        {
          x: [...x, ...x.slice().reverse()],
          y: [...found.map(row => row[2]), ...found.map(row => row[1]).reverse()],
          fill: 'toself',
          fillcolor: `${look.colour}22`,
          line: {width: 0},
          hoverinfo: 'skip',
          mode: 'lines',
        },
        {
          x,
          y: found.map(row => row[0]),
          name,
          mode: 'lines',
          line: {color: look.colour, dash: look.dash_name, width: 2},
          text: found.map(row => explorer.percent(row[0])),
          hovertemplate: `${name}: %{text} with %{x:.3s}<extra></extra>`,
        },
      );
      at.forEach((n, k) => rows.push([data.studies[study].name, model, n, x[k], ...found[k]]));
    }
    budget.draw({
      summary: rows.length
        ? `Expected best ${explorer.judged_words} for so much of the search, its 10 and 90 % points as a band. ${reaches(rows, told)} ${explorer.apart()}`
        : 'Fewer than two trials of a network of the search have ended in this selection.',
      x: {
        title: told,
        log: true,
        range: explorer.range(
          [costs.reduce((a, b) => (b > 0 && b < a ? b : a), Infinity), costs.reduce((a, b) => a + b, 0)],
          true,
          0.02,
        ),
      },
      y: {title: `expected best ${explorer.judged_words}`, percent: true, range: explorer.spread(reached)},
      traces,
      revision: against,
      table: () => ({
        columns: [
          'study',
          'network',
          'trials',
          against === 'trials' ? 'budget' : against,
          'expected',
          'low',
          'high',
        ].map(name => ({name})),
        rows,
      }),
    });
  }
  // At the budget that each network of a study had: a sentence for each study.
  function reaches(rows, words) {
    const studies = [...new Set(rows.map(row => row[0]))];
    return studies
      .map(study => {
        const own = rows.filter(row => row[0] === study),
          models = [...new Set(own.map(row => row[1]))],
          of = model => own.filter(row => row[1] === model),
          reach = Math.min(...models.map(model => of(model).at(-1)[3]));
        const list = models
          .map(model => [model, of(model).findLast(row => row[3] <= reach * 1.0001)?.[4]])
          .filter(([, best]) => best !== undefined)
          .sort((a, b) => b[1] - a[1])
          .map(([model, best]) => `${model} ${explorer.percent(best)}`);
        return `${studies.length > 1 ? `${study}: with` : 'With'} ${explorer.number(reach, 3)} ${words}, which each network had: ${list.join(', ')}.`;
      })
      .join(' ');
  }
  function draw_cost() {
    const {data} = explorer,
      against = chosen.cost.value,
      y = explorer.compared_accuracy(),
      every = Int32Array.from({length: data.n}, (_, i) => i);
    // what the accuracies cost that are compared: epochs after that one gave nothing to them
    const until = explorer.epoch() || Infinity,
      title =
        COSTS[against] +
        (against === 'seconds' && explorer.epoch() ? ` until epoch ${explorer.epoch()}` : ''),
      {start, epoch, epoch_seconds} = data.epochs,
      seconds = i => {
        let sum = 0;
        for (let k = start[i]; k < start[i + 1] && epoch[k] <= until; k++) sum += epoch_seconds[k] || 0;
        return sum;
      },
      source =
        {seconds: every.map(seconds), epochs: data.last.map(last => Math.min(last, until))}[against] ||
        data.trials[against],
      x = Float64Array.from(source, value => (value > 0 ? value : NaN));
    const inside = [...every]
        .filter(i => explorer.selected[i] && x[i] > 0 && !Number.isNaN(y[i]))
        .sort((a, b) => x[a] - x[b] || y[b] - y[a]),
      fronts = explorer
        .selected_studies()
        .map(study =>
          undominated(
            inside.filter(i => data.trials.study[i] === study && data.trials.status[i] !== 'failed'),
          ),
        )
        .filter(front => front.length);
    function undominated(ordered) {
      const front = [];
      for (const i of ordered) {
        const last = front.at(-1);
        if (!front.length || y[i] > y[last] || (y[i] === y[last] && x[i] === x[last])) front.push(i);
      }
      return front;
    }
    const on = new Set(fronts.flat());
    const listed_front = front =>
      `${fronts.length > 1 ? `${data.studies[data.trials.study[front[0]]].name} ` : ''}${explorer.listed(front.slice(0, 6).map(i => data.trials.trial_id[i]))}${front.length > 6 ? ` and ${front.length - 6} more` : ''}`;
    cost.draw({
      summary: `${explorer.when()} ${fronts.length ? `Pareto front: ${fronts.map(listed_front).join('; ')} (filled).` : ''}`,
      x: {title, log: true, range: explorer.range(x, true)},
      y: {title: explorer.judged_words, percent: true, range: explorer.spread(y)},
      lasso: explorer.lasso(x, y),
      revision: `${against}`,
      caption: explorer.epoch()
        ? `${explorer.judged_words} at epoch ${explorer.epoch()}`
        : `final ${explorer.judged_words}`,
      hollow_told: 'hollow: not on the Pareto front',
      marks: [{kind: 'points', x, y, trial: every, hollow: i => !on.has(i)}],
      tip: ({trial: i}) =>
        `${data.trials.trial_id[i]}, ${data.trials.model[i]}: ${explorer.percent(y[i])}, ${explorer.number(x[i], 3)} ${title}`,
      table: () => ({
        columns: [
          {name: 'trial_id'},
          {name: 'model'},
          {name: against, label: title},
          {name: explorer.judged, show: explorer.percent},
          {name: 'undominated'},
        ],
        rows: inside.map(i => [
          data.trials.trial_id[i],
          data.trials.model[i],
          x[i],
          y[i],
          on.has(i) ? 'yes' : '',
        ]),
      }),
    });
  }

  explorer.views.push({
    id: 'comparison',
    title: 'Importance and comparison',
    about:
      'Which hyperparameter matters, what a budget buys, which network is better. Unreliable for few trials, and beyond the space that was searched.',
    build,
    update: changes => {
      if (changes.hover) return explorer.paint(cost);
      for (const choice of Object.values(chosen)) choice.fill();
      explorer.key(key);
      draw_influence();
      if (!changes.moving) draw_budget();
      draw_cost();
    },
  });
}
