// What figures, lists and sentences are of a small study: a place for each figure keeps what it was told to draw.
import assert from 'node:assert/strict';
import test from 'node:test';
import {load, plain} from './explorer.js';

const SCRIPTS =
  'data selection arithmetic filter comparable trials history curves comparison confusion faces sides'.split(
    ' ',
  );
const KINDS = {f8: Float64Array, f4: Float32Array, i4: Int32Array, u2: Uint16Array, u1: Uint8Array};
const array = (kind, values) => ({
  kind,
  base64: Buffer.from(KINDS[kind].from(values).buffer).toString('base64'),
});
const words = list => {
  const found = [...new Set(list.filter(word => word !== null))];
  return {
    words: found,
    codes: array(
      'i4',
      list.map(word => found.indexOf(word)),
    ),
  };
};
const MEASURES = ['val_balanced_accuracy', 'val_macro_f1', 'val_loss', 'train_accuracy', 'train_loss', 'lr'];

// A payload of trials {name, status, curve, …}; each epoch takes 2 s, and trials end a second after another.
function study(trials, {judged = 'val_accuracy', judged_words = 'val accuracy', columns = []} = {}) {
  const of = (name, fallback) => trials.map((trial, i) => trial[name] ?? fallback(i)),
    rows = trials.flatMap(({curve = []}, i) => curve.map((value, k) => ({i, epoch: k + 1, value}))),
    column = (kind, get) => array(kind, rows.map(get));
  return {
    judged,
    judged_words,
    whole: true,
    newest: 0,
    studies: [
      {
        name: 's',
        notes: {},
        replays: [],
        asha: {},
        val_images: 14,
        digest: 'a',
        newest: 0,
        chosen: [],
      },
    ],
    styles: {alexnet: ['#D55E00', 'circle', 'solid', '#E8823A']},
    trials: {
      study: array(
        'u1',
        of('study', () => 0),
      ),
      ...Object.fromEntries(
        [
          ['trial_id', i => `t${i}`],
          ['model', () => 'alexnet'],
          ['stage', () => 'search'],
          ['setting', i => `t${i}`],
          ['status', () => 'completed'],
          ...['reason', 'error', 'device', 'node'].map(name => [name, () => '']),
        ].map(([name, fallback]) => [name, words(of(name, fallback))]),
      ),
      ...Object.fromEntries(
        [
          ['asked', () => 4],
          ['retries', () => 0],
          ['gpus', () => 0],
          ['parameters', () => 100],
          ['multiply_adds', () => 1000],
          ['images', () => 100],
          ['started_at', () => 1e6],
          ['ended_at', i => 1e6 + 1000 * (i + 1)],
          ['images_per_second', () => 10],
          ['memory_mib', () => 5],
          ['computing', i => 2 * (trials[i].curve || []).length],
        ].map(([name, fallback]) => [name, array('f8', of(name, fallback))]),
      ),
    },
    lost: {},
    columns,
    epochs: {
      trial: column('i4', row => row.i),
      epoch: column('u2', row => row.epoch),
      val_accuracy: column('f4', row => row.value),
      epoch_seconds: column('f4', () => 2),
      ...Object.fromEntries(
        MEASURES.map(name => [name, column('f4', row => trials[row.i][name]?.[row.epoch - 1] ?? NaN)]),
      ),
    },
    decisions: Object.fromEntries(
      [
        ['trial', 'i4'],
        ['rung', 'u2'],
        ['value', 'f4'],
        ['cutoff', 'f4'],
        ['stopped', 'u1'],
      ].map(([name, kind]) => [name, array(kind, [])]),
    ),
  };
}

// The page with a study, and what its views' figures were told to draw; of Python's functions only the drawing is left out.
function shown(payload, view, options = {}) {
  const {explorer} = load(SCRIPTS),
    drawn = {},
    titles = {};
  Object.assign(explorer, {
    figure: (parent, {name, title}) => {
      titles[name] = title;
      return {draw: spec => (drawn[name] = spec), root: {insertBefore() {}}};
    },
    look: () => ({colour: '#D55E00', symbol: 'circle', dash: [], dash_name: 'solid'}),
    colours: () => ({}),
    key: () => {},
    whole: () => 1,
    saver: () => null,
    tools: () => null,
  });
  explorer.data = explorer.decode(payload);
  Object.assign(explorer.state.options, options);
  explorer.select();
  if (view) {
    const own = explorer.views.find(each => each.id === view);
    own.build({append() {}});
    own.update({data: true});
  }
  return {explorer, drawn, titles};
}

const FAILED = [
  {curve: [0.2, 0.3]},
  {curve: [0.9], status: 'failed'},
  {status: 'failed'},
  {curve: [0.4, 0.5]},
  {curve: [0.3, 0.4]},
];

// The payload of images of one split with these labels, none of them a copy.
const images_of = (label, split) => ({
  digest: words(label.map(() => 'a')),
  split: words(label.map(() => split)),
  image: array('i4', label.keys()),
  label: array('u1', label),
  duplicate: array(
    'u1',
    label.map(() => 0),
  ),
});

test('a failed trial is on no Pareto front, whatever it had reached', () => {
  const trials = [{curve: [0.2, 0.3]}, {curve: [0.9, 0.9], status: 'failed'}, {curve: [0.4, 0.5]}];
  const {drawn} = shown(study(trials), 'comparison');
  const on = drawn.cost.table().rows.filter(row => row[4] === 'yes');
  assert.ok(on.length && !on.some(row => row[0] === 't1'));
});

test('of trials that are as good for as much all are on the Pareto front', () => {
  const {drawn} = shown(study([0.5, 0.5, 0.4].map(value => ({curve: [value, value]}))), 'comparison');
  assert.deepEqual(plain(drawn.cost.table().rows.map(row => row[4])), ['yes', 'yes', '']);
  assert.match(drawn.cost.summary, /Pareto front: t0 and t1 \(filled\)/);
});

test('a running trial counts in the length of a study: its unit isn’t that of the first minute', () => {
  const day = 24 * 3600e3,
    payload = study([{curve: [0.1], status: 'running', ended_at: NaN}]);
  payload.studies[0].newest = 1e6 + day;
  assert.match(shown(payload, 'overview').drawn.timeline.x.title, /^hours since/);
});

test('studies that were judged on other images of val say so beside their curves', () => {
  const payload = study([{curve: [0.1]}, {curve: [0.2], study: 1}]);
  payload.studies = [
    {...payload.studies[0], without_copies: false},
    {...payload.studies[0], name: 'r', without_copies: true},
  ];
  for (const [view, figure] of [
    ['curves', 'curves'],
    ['overview', 'history'],
  ])
    assert.match(
      shown(payload, view).drawn[figure].summary,
      /on different val images \(s 14 with copies and r 14 without copies of training images\)/,
    );
});

test('of many trials the sentence on an equal budget is of all that each network had', () => {
  // 100 of one network and 89 of another, each of an epoch: 89 epochs is what both had
  const payload = study(
    Array.from({length: 189}, (_, i) => ({curve: [i === 99 ? 0.9 : 0.2], model: i < 100 ? 'a' : 'b'})),
  );
  payload.styles = {a: payload.styles.alexnet, b: payload.styles.alexnet};
  const {drawn} = shown(payload, 'comparison'),
    row = drawn.budget.table().rows.find(([, model, n]) => model === 'a' && n === 89);
  assert.ok(row);
  assert.match(drawn.budget.summary, new RegExp(`With 89 epochs, .*a ${(100 * row[4]).toFixed(1)} %`));
});

test('a failed trial is the best of no search, whatever it had reached, and still one that ended', () => {
  const {drawn} = shown(study(FAILED), 'overview');
  assert.match(drawn.history.summary, /The highest, 50.0 %, came with trial 4 of the 5\./);
  const {drawn: none} = shown(study(FAILED.slice(1, 3)), 'overview');
  assert.doesNotMatch(none.history.summary, /The highest/);
  for (const curves of ['each', 'setting']) {
    const {drawn: lines} = shown(study(FAILED), 'curves', {curves});
    assert.match(lines.curves.summary, /Thick: t3, whose final val accuracy is the highest/);
  }
});

test('the history’s table names what its trials stand at', () => {
  const names = history => {
    const {drawn} = shown(study(FAILED), 'overview', {history});
    return drawn.history.table().columns.map(({name}) => name);
  };
  assert.ok(names('trials').includes('order') && !names('time').includes('order'));
  assert.ok(names('time').includes('seconds'));
});

test('throughput is of training alone, and memory is not always the trial’s own', () => {
  const {summary} = shown(study(FAILED), 'overview').drawn.usage;
  assert.match(summary, /^Images a second of training alone, /);
  assert.match(summary, /of its worker process, which may have trained others before\./);
});

test('the median of an even number of trials is the mean of the middle two', () => {
  const trials = [100, 900, 300, 200].map(images_per_second => ({curve: [0.1], images_per_second}));
  assert.match(shown(study(trials), 'overview').drawn.usage.summary, /: alexnet 250 images\/s/);
  assert.match(shown(study(trials.slice(0, 3)), 'overview').drawn.usage.summary, /: alexnet 300 images\/s/);
});

const F1 = {judged: 'val_macro_f1', judged_words: 'val macro-F1'};
const BY_F1 = [
  {curve: [0.6], val_macro_f1: [0.1]},
  {curve: [0.5], val_macro_f1: [0.4]},
  {curve: [0.4], val_macro_f1: [0.3]},
];

test('the best is the best by what the study was judged by, everywhere', () => {
  for (const curves of ['each', 'setting']) {
    const {drawn} = shown(study(BY_F1, F1), 'curves', {curves});
    assert.match(drawn.curves.summary, /Thick: t1, whose final val macro-F1 is the highest/);
    assert.ok(drawn.curves.y.percent);
  }
  const {explorer} = shown(study(BY_F1, F1));
  assert.deepEqual(plain(explorer.rivals(0)), [1, 2]);
  assert.deepEqual(plain(explorer.differences(0, 1).apart.at(-1)), [
    'final val macro-F1',
    '10.00 %',
    '40.00 %',
  ]);
  explorer.state.epoch = 1;
  assert.deepEqual(plain(explorer.filter('last_val_macro_f1>0.35', explorer.all_axes()).words), []);
});

test('figures are titled by what the study was judged by', () => {
  const {titles} = shown(study(BY_F1, F1), 'comparison');
  assert.equal(titles.influence, 'Correlation with macro-F1');
  assert.equal(titles.cost, 'Macro-F1 and its cost');
  assert.equal(shown(study(FAILED), 'comparison').titles.cost, 'Accuracy and its cost');
});

test('confirmed settings are ranked on val by what the study was judged by', () => {
  // of 8 images six are of the first class: always answering it is right in 75 %
  const label = [0, 0, 0, 0, 0, 0, 1, 1],
    network = (setting, guess) => ({
      study: 0,
      trial: setting,
      setting,
      model: 'alexnet',
      rows: 0,
      guess: array('u1', guess),
      probability: array('u1', Array(16).fill(0)),
    });
  for (const [judged, best] of [
    ['val_accuracy', 'constant'],
    ['val_balanced_accuracy', 'fair'],
    ['val_macro_f1', 'fair'],
  ]) {
    const {explorer} = shown(study([{name: 'x', curve: [0.1]}], {judged, judged_words: judged}));
    explorer.refresh = () => {};
    explorer.take_answers({
      classes: ['a', 'b'],
      images: images_of(label, 'val'),
      rows: [array('i4', label.keys())],
      networks: [
        network(
          'constant',
          label.map(() => 0),
        ),
        network('fair', [0, 0, 0, 1, 1, 1, 1, 1]),
      ],
      attention: [],
    });
    const [constant, fair] = explorer.answers.networks.map(one => explorer.val_worth([one]));
    assert.equal(constant > fair ? 'constant' : 'fair', best, judged);
  }
});

const SEEDS = [
  {trial: 's0', guess: [0, 0, 1, 0]},
  {trial: 's1', guess: [255, 255, 255, 255]},
];
// The table of confirmed models, of a setting with two seeds, one of which diverged, and the sentence on them.
function answered(payload, networks = SEEDS, scope = 'val+test') {
  const {explorer} = shown(payload),
    saved = {},
    label = [0, 0, 1, 1],
    network = ({trial, guess, study = 0, setting = 'one'}) => ({
      study,
      trial,
      setting,
      model: 'alexnet',
      unlearned: trial === 's1',
      rows: 0,
      guess: array('u1', guess),
      probability: array('u1', Array(8).fill(0)),
    });
  let built = [];
  explorer.state.scope = scope;
  Object.assign(explorer, {
    refresh() {},
    renew() {},
    heads: () => null,
    swatch: () => null,
    draw_faces() {},
    saver: (format, name, call) => (saved[name] = call),
    save_csv: (name, table) => table,
  });
  explorer.take_answers({
    classes: ['a', 'b'],
    images: images_of(label, 'test'),
    rows: [array('i4', label.keys())],
    networks: networks.map(network),
    attention: [],
  });
  const view = explorer.views.find(({id}) => id === 'faces');
  view.build({append: (...parts) => (built = parts)});
  view.update({data: true});
  return {table: saved.confirmed(), words: built[1].textContent};
}
const models_table = (...given) => answered(...given).table;

test('a network that diverged answered wrong, in the table of models as in the report', () => {
  const [row] = models_table(study([{curve: [0.1]}])).rows;
  assert.deepEqual(plain(row), ['one', 'alexnet', 2, 0.375, 0.5, 0.25]);
});

test('of a setting of which some seeds have learned it is said how many have not', () => {
  const {words} = answered(study(['s0', 's1'].map(trial_id => ({trial_id, curve: [0.1]}))));
  assert.match(words, / one \(1 of 2 seeds\) has not learned: /);
});

test('of two studies with one setting it is said whose has not learned', () => {
  const trials = [0, 1].map(number => ({trial_id: `s${number}`, study: number, curve: [0.1]})),
    payload = study(trials);
  payload.studies.push({...payload.studies[0], name: 'r'});
  const {words} = answered(payload, [SEEDS[0], {trial: 's1', study: 1, guess: [0, 0, 0, 0]}]);
  assert.match(words, /^2 models of the selection: one \(s\) and one \(r\)\. one \(r\) has not learned: /);
});

test('no setting of the selection is left out of the sentence on them', () => {
  const names = Array.from({length: 9}, (_, k) => `n${k}`),
    trials = names.map(trial_id => ({trial_id, curve: [0.1]})),
    networks = names.map(trial => ({trial, setting: trial, guess: [0, 0, 1, 1]}));
  assert.match(
    answered(study(trials), networks).words,
    /^9 models of the selection: n0, .*, n7 and 1 more\./,
  );
});

test('the table of models has what the study was judged by', () => {
  const {columns, rows} = models_table(study([{curve: [0.1], val_macro_f1: [0.1]}], F1));
  assert.deepEqual(plain(columns.map(({name}) => name)), [
    'setting',
    'network',
    'seeds',
    'accuracy',
    'macro-F1',
    'a',
    'b',
  ]);
  assert.ok(Math.abs(rows[0][4] - (4 / 5 + 2 / 3) / 4) < 1e-9); // of the seed that didn't diverge, halved
});

test('where the choice of images has none, models have no accuracy and no macro-F1', () => {
  const payload = study([{curve: [0.1], val_macro_f1: [0.1]}], F1),
    [row] = models_table(payload, SEEDS, 'val').rows; // all images are test's
  assert.deepEqual(plain(row), ['one', 'alexnet', 2, null, null, null, null]);
});

test('where val was judged without copies, the best on val is the best without them', () => {
  const payload = study([{curve: [0.1]}]),
    label = [0, 0, 1, 1];
  payload.studies[0].without_copies = true;
  const {explorer} = shown(payload);
  explorer.refresh = () => {};
  explorer.take_answers({
    classes: ['a', 'b'],
    images: {...images_of(label, 'val'), duplicate: array('u1', [1, 1, 1, 0])},
    rows: [array('i4', label.keys())],
    networks: [
      [0, 0, 1, 0],
      [1, 1, 0, 1],
    ].map(guess => ({
      study: 0,
      trial: 't',
      rows: 0,
      guess: array('u1', guess),
      probability: array('u1', []),
    })),
    attention: [],
  });
  assert.deepEqual(plain(explorer.answers.networks.map(one => explorer.val_worth([one]))), [0, 1]);
});

test('seconds of computing count a share of a GPU as that share, and are called so', () => {
  const trials = [0.2, 0.3, 0.4].map(value => ({curve: [value, value], gpus: 0.25, computing: 1}));
  const {drawn} = shown(study(trials), 'comparison', {budget: 'seconds'});
  assert.deepEqual(plain(drawn.budget.table().rows.map(row => row[3])), [1, 2, 3]);
  assert.equal(drawn.budget.x.title, 'GPU-seconds');
  assert.match(drawn.budget.summary, /With 3 GPU-seconds, which each network had/);
  const {drawn: without} = shown(study(FAILED), 'comparison', {budget: 'seconds'});
  assert.equal(without.budget.x.title, 'seconds of computing');
});

test('an accuracy at an epoch costs what was spent until then', () => {
  const trials = [{curve: [0.2, 0.3]}, {curve: [0.25]}, {curve: [0.1, 0.2, 0.5]}];
  const cost = (epoch, option) => {
    const {explorer, drawn} = shown(study(trials), null, {cost: option});
    explorer.state.epoch = epoch;
    const view = explorer.views.find(each => each.id === 'comparison');
    view.build({append() {}});
    view.update({data: true});
    return [drawn.cost.x.title, ...plain(drawn.cost.marks[0].x)];
  };
  assert.deepEqual(cost(1, 'seconds'), ['seconds in epochs until epoch 1', 2, 2, 2]);
  assert.deepEqual(cost(2, 'epochs'), ['epochs run', 2, 1, 2]);
  assert.deepEqual(cost(0, 'seconds'), ['seconds in epochs', 4, 2, 6]);
});

test('a trial whose study was resumed counts as restarted, retried or not', () => {
  const payload = study([{curve: [0.2]}, {curve: [0.3]}]);
  assert.match(shown(payload, 'overview').drawn.timeline.summary, /No restart is recorded\./);
  payload.lost = {trial: array('f8', [1]), from: array('f8', [1e6]), to: array('f8', [1e6 + 500])};
  assert.match(shown(payload, 'overview').drawn.timeline.summary, / 1 restarted: dark gaps/);
});

test('faces of other kinds than a cell are in their own order, whatever cell is chosen', () => {
  const {explorer} = shown(study([{curve: [0.1]}]));
  explorer.in_scope = () => true;
  const told = {
    classes: ['a', 'b', 'c'],
    images: {label: [0, 0]},
    attention: [],
  };
  // both wrong: the first surely as b, the second less so as c
  const network = {key: '0:t0', rows: [0, 1], guess: [1, 2], probability: [20, 200, 35, 60, 60, 135]};
  const order = cell => {
    Object.assign(explorer.state, {faces: 'hard', cell});
    return plain(explorer.faces_of(told, [network]).map(({row}) => row));
  };
  assert.deepEqual(order(null), [0, 1]);
  assert.deepEqual(order([0, 2]), [0, 1]);
  Object.assign(explorer.state, {faces: 'cell', cell: [0, 2]});
  assert.deepEqual(plain(explorer.faces_of(told, [network]).map(({row}) => row)), [1]);
});

test('two settings that differ in a late digit differ, and are written to that digit', () => {
  const columns = [
    ['lr', [0.012345, 0.012346]],
    ['momentum', [0.9, 0.9]],
    ['decay', [NaN, NaN]],
  ].map(([name, values]) => ({name, log: false, varies: true, values: array('f8', values)}));
  const {explorer} = shown(study([{curve: [0.1]}, {curve: [0.1]}], {columns}));
  const {apart, same} = explorer.differences(0, 1);
  assert.deepEqual(plain(apart), [['lr', '0.012345', '0.012346']]);
  assert.equal(same, 7);
});

test('why it ended is found as the table shows it', () => {
  const trials = [
      {status: 'failed', error: 'out of memory', reason: 'error'},
      {error: 'once', reason: 'all epochs done'},
    ],
    {explorer} = shown(study(trials.map(trial => ({...trial, curve: [0.1]})))),
    found = text => [0, 1].map(explorer.filter(text, explorer.all_axes()).test);
  assert.deepEqual(found('why it ended="out of memory"'), [true, false]);
  assert.deepEqual(found('why it ended=error'), [false, false]);
  assert.deepEqual(found('reason=error'), [true, false]);
});

test('a choice of the address in what no trials differ in is left out and said', () => {
  const {explorer} = shown(study([{curve: [0.1]}, {curve: [0.2]}]));
  explorer.state.brushes = explorer.read('#by.weight_decay="0..0.1"&by.status="\'stopped"').brushes;
  explorer.select();
  assert.equal(explorer.count_selected, 0); // by status, which is there
  assert.deepEqual(plain(explorer.not_understood), [
    'Trials don’t differ in «weight decay» here: the address’s choice of it is left out.',
  ]);
});
