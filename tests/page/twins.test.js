// What the page computes against what Python computed: tests/test_explorer_scripts.py writes the
// cases, each {name, given, expected}, and runs this file with CASES naming them.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import test from 'node:test';
import {load, plain} from './explorer.js';

const {explorer} = load();
const cases = JSON.parse(readFileSync(process.env.CASES, 'utf8'));

// A trial's columns as the frames of Python have them.
function decoded(payload) {
  const data = explorer.decode(payload);
  const {start, epoch, val_accuracy} = data.epochs;
  const curve = i => Array.from({length: start[i + 1] - start[i]}, (_, k) => start[i] + k);
  return data.trials.trial_id.map((name, i) => ({
    name,
    model: data.trials.model[i],
    status: data.trials.status[i],
    epochs: curve(i).map(k => epoch[k]),
    val_accuracy: curve(i).map(k => val_accuracy[k]),
    last: data.last[i],
    seconds: data.seconds[i],
    hyperparameters: Object.fromEntries(data.columns.map(column => [column.name, column.values[i]])),
  }));
}

const run = {decoded};

function close(found, expected, at = '') {
  if (typeof expected === 'number') {
    assert.equal(typeof found, 'number', `${at}: ${found} is no number`);
    assert.ok(
      Math.abs(found - expected) <= 1e-6 * Math.max(1, Math.abs(expected)),
      `${at}: ${found}, ${expected}`,
    );
  } else if (expected !== null && typeof expected === 'object') {
    assert.deepEqual(Object.keys(found ?? {}), Object.keys(expected), at);
    for (const key of Object.keys(expected)) close(found[key], expected[key], `${at}.${key}`);
  } else assert.equal(found, expected, at);
}

for (const [number, {name, given, expected}] of cases.entries())
  test(`${name}, case ${number}`, () => close(plain((run[name] || explorer[name])(...given)), expected));
