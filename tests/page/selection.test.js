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
  {cell: [0, 6], faces: 'hard', scope: 'test', options: {cost: 'epochs', 'a=b': 'c&d'}},
];

test('an address read again is the selection that it was written from', () => {
  for (const state of STATES) {
    const {explorer: page} = load();
    Object.assign(page.state, state);
    const {explorer: other} = load();
    const read = other.read(page.address());
    for (const [name, value] of Object.entries(state)) {
      const expected = plain(value);
      const found = plain(read[name]);
      assert.deepEqual(found, expected, `${name} of ${page.address()}`);
    }
  }
});

test('an address of nonsense is no selection', () => {
  const read = plain(explorer.read('#by.lr=]&cell=a.b&faces=x&scope=y&epoch=z&picked=%5B'));
  assert.deepEqual([read.brushes, read.picked, read.epoch, read.cell], [[], [], null, null]);
  assert.deepEqual([read.faces, read.scope], ['cell', 'val+test']);
});
