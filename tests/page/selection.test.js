// The filter's words, and the address that holds a selection.
import assert from 'node:assert/strict';
import test from 'node:test';
import {load, plain} from './explorer.js';

const {explorer} = load();

test('a filter is words to look for and columns to compare', () => {
  assert.deepEqual(plain(explorer.parse('AlexNet lr<0.01 status=stopped "out of memory"')), [
    {word: 'alexnet'},
    {column: 'lr', how: '<', value: '0.01'},
    {column: 'status', how: '=', value: 'stopped'},
    {word: 'out of memory'},
  ]);
});

test('two-letter comparisons are not cut short, quotes come off a value', () => {
  assert.deepEqual(plain(explorer.parse('epochs>=3 val_accuracy<=40% setting="a b"')).slice(0, 2), [
    {column: 'epochs', how: '>=', value: '3'},
    {column: 'val_accuracy', how: '<=', value: '40%'},
  ]);
});

test('a heading of several words and blanks around a comparison make one comparison', () => {
  const names = ['batch size', 'why it ended'];
  assert.deepEqual(plain(explorer.parse('alexnet Batch size = 64 why it ended="out of memory"', names)), [
    {word: 'alexnet'},
    {column: 'batch_size', how: '=', value: '64'},
    {column: 'why_it_ended', how: '=', value: 'out of memory'},
  ]);
});

test('a word is looked for in hyperparameters and names of studies too, varying or not', () => {
  const {explorer: page} = load();
  page.data = {
    trials: {trial_id: ['a', 'b']},
    seconds: [1, 1],
    columns: [
      {name: 'optimizer', text: true, values: ['adamw', 'sgd']},
      {name: 'cbam_order', text: true, values: ['parallel', 'parallel']},
    ],
  };
  const study = {name: 'study', label: 'study', text: true, values: ['first', 'second']};
  const found = text => [0, 1].map(page.filter(text, [study]).test);
  assert.deepEqual(found('AdamW'), [true, false]);
  assert.deepEqual(found('parallel second'), [false, true]);
  assert.deepEqual(found('cbam order=parallel optimizer=sgd'), [false, true]);
});

test('a number is read as the page writes it, with a decimal comma, and in percent', () => {
  const written = [
    '1,024',
    '1,234,567.5',
    '0,01',
    '1,5e-3',
    '-2,5',
    '0,001',
    '25 %',
    '2,5%',
    '1.234,5',
    '',
    'many',
  ];
  assert.deepEqual(plain(written.map(text => explorer.read_number(text))), [
    1024,
    1234567.5,
    0.01,
    0.0015,
    -2.5,
    0.001,
    0.25,
    0.025,
    null,
    null,
    null,
  ]);
  assert.equal(explorer.read_number('62,5', true), 0.625);
  assert.equal(explorer.read_number('62.5 %', true), 0.625);
});

test('the filter takes decimal commas and a percent sign after a blank, for shares too', () => {
  const {explorer: page} = load();
  page.data = {
    trials: {trial_id: ['a', 'b']},
    seconds: [1, 1],
    columns: [{name: 'dropout', text: false, values: [0.1, 0.5]}],
  };
  const axis = {name: 'val_accuracy', label: 'final val accuracy', percent: true, values: [0.2, 0.6]};
  for (const text of ['dropout>0,25', 'dropout > 20 %', 'dropout>20%', 'accuracy > 25 %', 'accuracy>25,5']) {
    const {test: found, words} = page.filter(text, [axis]);
    assert.deepEqual([0, 1].map(found), [false, true], text);
    assert.deepEqual(plain(words), [], text);
  }
});

test('a range lets its ends through, absent values only where it says so', () => {
  const axis = {values: [1, 2, 3, null, NaN]};
  const passed = brush => axis.values.map((_, i) => explorer.passes(brush, axis, i));
  assert.deepEqual(passed({low: 2, high: 3, absent: false}), [false, true, true, false, false]);
  assert.deepEqual(passed({low: null, high: null, absent: true}), [false, false, false, true, true]);
});

test('a list of values takes words and numbers alike, the empty word is absent', () => {
  const axis = {values: ['tpe', 64, null]};
  assert.deepEqual(
    axis.values.map((_, i) => explorer.passes({values: ['64', '']}, axis, i)),
    [false, true, true],
  );
});

const STATES = [
  {brushes: new Map([['lr', {low: 0.001, high: 0.01, absent: false}]])},
  {brushes: new Map([['lr', {low: 1e-7, high: 2.5e-5, absent: true}]])},
  {brushes: new Map([['weight_decay', {low: null, high: null, absent: true}]])},
  {brushes: new Map([['status', {values: ['stopped', 'it\'s, "so" & so', '']}]])},
  {find: 'lr<0.01 "a & b" 100%', epoch: 3},
  {picked: new Set(['0:alexnet-t0', '1:a"b,c']), epoch: 0},
  {picked: new Set(['0:t0012', '0:t0013', '0:t0020', '1:t7', '0:100% a:b;c..d,e', '0:', '2:t:4:1'])},
  {cell: [0, 6], faces: 'hard', scope: 'test', options: {cost: 'epochs', 'a=b': 'c&d'}},
];

test('an address read again is the selection that it was written from', () => {
  for (const state of STATES) {
    const {explorer: page} = load();
    Object.assign(page.state, state);
    const {explorer: other} = load();
    const read = other.read(page.address());
    for (const [name, value] of Object.entries(state)) {
      const sorted = list => (name === 'picked' ? list.sort() : list);
      const expected = sorted(plain(value));
      const found = sorted(plain(read[name]));
      assert.deepEqual(found, expected, `${name} of ${page.address()}`);
    }
  }
});

test('a lasso of two hundred trials is a short address', () => {
  const {explorer: page} = load(),
    keys = Array.from({length: 600}, (_, k) => `0:t${String(k).padStart(5, '0')}`);
  page.state.picked = new Set(keys.filter((_, k) => (k * k) % 3 === 1 && k % 5));
  assert.ok(page.state.picked.size > 200);
  assert.ok(page.address().length < 1700, page.address().length);
  page.state.picked = new Set(keys.slice(100, 306));
  assert.equal(page.address(), '#picked=0:t:5:100..305');
  const old = page.read('#picked=%220%3At00001%22%2C%220%3At00002%22');
  assert.deepEqual(plain(old.picked), ['0:t00001', '0:t00002']);
});

test('an address of nonsense is no selection', () => {
  const read = plain(explorer.read('#by.lr=]&cell=a.b&faces=x&scope=y&epoch=z&picked=%5B'));
  assert.deepEqual([read.brushes, read.picked, read.epoch, read.cell], [[], [], null, null]);
  assert.deepEqual([read.faces, read.scope], ['cell', 'val+test']);
});

test('figures compare at the furthest rung that enough trials reached, tables at the final epoch', () => {
  const f8 = values => ({
    kind: 'f8',
    base64: Buffer.from(Float64Array.from(values).buffer).toString('base64'),
  });
  const i4 = values => ({kind: 'i4', base64: Buffer.from(Int32Array.from(values).buffer).toString('base64')});
  const u2 = values => ({
    kind: 'u2',
    base64: Buffer.from(Uint16Array.from(values).buffer).toString('base64'),
  });
  const f4 = values => ({
    kind: 'f4',
    base64: Buffer.from(Float32Array.from(values).buffer).toString('base64'),
  });
  const words = list => ({
    words: [...new Set(list)],
    codes: i4(list.map(word => [...new Set(list)].indexOf(word))),
  });
  // 12 trials: all reach 1, six reach 3, two reach 9
  const ends = [1, 1, 1, 1, 1, 1, 3, 3, 3, 3, 9, 9],
    rows = ends.flatMap((end, i) => Array.from({length: end}, (_, k) => [i, k + 1]));
  const payload = {
    judged: 'val_accuracy',
    judged_words: 'val accuracy',
    newest: 0,
    studies: [{}],
    styles: {},
    columns: [],
    trials: {
      study: {kind: 'u1', base64: Buffer.from(new Uint8Array(12)).toString('base64')},
      trial_id: words(ends.map((_, i) => `t${i}`)),
      stage: words(ends.map(() => 'search')),
      status: words(ends.map(end => (end < 9 ? 'stopped' : 'completed'))),
      reason: words(ends.map(() => '')),
    },
    epochs: {
      trial: i4(rows.map(([i]) => i)),
      epoch: u2(rows.map(([, k]) => k)),
      ...Object.fromEntries(
        ['val_accuracy', 'val_loss', 'train_accuracy', 'train_loss', 'lr', 'epoch_seconds'].map(name => [
          name,
          f4(rows.map(([, k]) => k / 100)),
        ]),
      ),
      val_balanced_accuracy: f4([]),
      val_macro_f1: f4([]),
    },
    decisions: {rung: u2([1, 3, 9]), trial: i4([0, 6, 10]), value: f4([0, 0, 0]), cutoff: f8([0, 0, 0])},
  };
  const {explorer: page} = load();
  page.data = page.decode(payload);
  assert.equal(page.data.common, 1);
  assert.equal(page.epoch(), 3); // half of the twelve reached it
  assert.deepEqual(
    plain(page.at(page.data, 'val_accuracy', page.shown_epoch())).map(value => Math.round(100 * value)),
    ends,
  );
  page.state.epoch = 1;
  assert.deepEqual([page.epoch(), page.shown_epoch()], [1, 1]);
});

test('a curve is smoothed over its neighbours, absent values count in none', () => {
  assert.deepEqual(plain(explorer.smoothed([1, 2, 6, NaN, 4], 3)), [1.5, 3, 4, null, 4]);
  assert.deepEqual(plain(explorer.smoothed(Float32Array.from([1, 5]), 9)), [3, 3]);
});

test('the best so far never falls, and of a loss never rises', () => {
  assert.deepEqual(plain(explorer.best_so_far([NaN, 2, 1, 3])), [null, 2, 2, 3]);
  assert.deepEqual(plain(explorer.best_so_far([3, 2, NaN, 4], true)), [3, 2, 2, 2]);
});

test('a trial that was retried and completed did not end by the error of before', () => {
  const trials = {
    status: ['completed', 'failed', 'stopped'],
    error: ['OSError: once', 'out of memory', null],
    reason: ['all epochs done', 'error', 'below the cutoff'],
  };
  assert.deepEqual(plain(explorer.why_ended(trials)), [
    'all epochs done',
    'out of memory',
    'below the cutoff',
  ]);
});

test('a study was last heard of at its own newest epoch, or at the end of a trial after it', () => {
  const trials = {study: [0, 0, 1, 1], ended_at: [5, NaN, 90, NaN]};
  const heard = explorer.heard({studies: [{newest: 7}, {newest: 80}, {newest: 0}], trials});
  assert.deepEqual(plain(heard), [7, 90, 0]);
});

test('seeds of a setting are their mean and range at each epoch that they reached', () => {
  const curves = [
    {epoch: [1, 2, 3], x: [10, 20, 30], y: [0.1, 0.2, 0.4]}, // x are seconds, of which no two seeds take the same
    {epoch: [1, 2], x: [14, 28], y: [0.3, NaN]},
  ];
  assert.deepEqual(plain(explorer.over_seeds(curves)), [
    {epoch: 1, x: 12, mean: 0.2, low: 0.1, high: 0.3, seeds: 2},
    {epoch: 2, x: 24, mean: 0.2, low: 0.2, high: 0.2, seeds: 1},
    {epoch: 3, x: 34, mean: 0.4, low: 0.4, high: 0.4, seeds: 1},
  ]);
});

test('a correlation and an eta squared are compared as shares of the same variance', () => {
  const {follows} = load(['data', 'selection', 'arithmetic', 'filter', 'comparable']).explorer;
  const line = worth => follows.share({words: false, worth, trials: 20, degrees: 1}),
    groups = (worth, degrees) => follows.share({words: true, worth, trials: 20, degrees});
  assert.ok(line(-0.6) < groups(0.5, 1));
  // Nine groups of twenty trials have 42 % (8 of 19) by chance: the same share says less the more groups there are.
  assert.ok(groups(0.5, 8) < line(-0.6) && Math.abs(groups(8 / 19, 8)) < 1e-12);
});

test('of many trials the colours are those of the best 5 %, of few of all', () => {
  const few = Float32Array.from({length: 40}, (_, i) => i / 40);
  assert.deepEqual(plain(explorer.colour_range([...few, NaN])), {low: 0, high: plain(few)[39], cut: false});
  const many = Array.from({length: 1000}, (_, i) => 999 - i);
  assert.deepEqual(plain(explorer.colour_range(many)), {low: 950, high: 999, cut: true});
});

test('a network that diverged is wrong on the images to which it gave no answer', () => {
  const page = load(['data', 'selection', 'arithmetic', 'filter', 'confusion']).explorer;
  const array = (...values) => ({kind: 'u1', base64: Buffer.from(values).toString('base64')});
  const network = {study: 0, trial: 't', rows: 0};
  page.take_answers({
    classes: ['a', 'b'],
    images: {
      digest: {words: ['d'], codes: array(0, 0, 0)},
      split: {words: ['test'], codes: array(0, 0, 0)},
      image: array(0, 1, 2),
      label: array(0, 0, 1),
      duplicate: array(0, 0, 0),
    },
    rows: [array(0, 1, 2)],
    networks: [array(0, 0, 1), array(255, 255, 255)].map(guess => ({
      ...network,
      guess,
      probability: array(),
    })),
    attention: [],
  });
  page.state.scope = 'test';
  const {whole, truth} = page.confusion(page.answers.networks);
  assert.deepEqual(plain(whole), [1, 0, 0, 0.5]);
  assert.deepEqual(plain(truth), [2, 1]);
  // of seven networks alike the mean is theirs: in sevenths an image added up to 0.9999999999999998
  const seven = Array.from({length: 7}, () => page.answers.networks[0]),
    mean = page.confusion(seven);
  assert.deepEqual(plain(mean.whole), [2, 0, 0, 1]);
  assert.deepEqual(plain(mean.truth), [2, 1]);
});
