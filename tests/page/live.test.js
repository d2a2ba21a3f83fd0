// What the live page asks its server for, with a server and a clock of our own.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';

const SCRIPT = new URL('../../results/explorer/page/live.js', import.meta.url);
const first = {stamp: '1', answers: 'a', payload: {newest: 1}};
const nothing = () => {};

// A live page: `told` is what it was given to write, `settled` what it asked until nothing is left to do, `later` ends
// every wait; of `held` a path's answer waits until its function is called.
function opened(refused = new Set()) {
  const asked = [],
    timers = [],
    told = [],
    held = new Map(),
    answers = new Map([['payload', first]]),
    places = {
      '_dash-config': {textContent: '{"requests_pathname_prefix":"/"}'},
      dash: {content: {querySelectorAll: () => []}},
    };
  const explorer = {
    take_payload: nothing,
    take_answers: nothing,
    take_faces: nothing,
    take_written: texts => told.push({...texts}),
    data: {epochs: {epoch: [1, 2]}},
  };
  const window = {};
  vm.runInNewContext(readFileSync(SCRIPT, 'utf8'), {
    explorer,
    window,
    performance,
    URL,
    setInterval: nothing,
    setTimeout: call => timers.push(call),
    fetch: async path => {
      asked.push(path);
      const answer = answers.get(path) ?? {};
      if (held.has(path)) await new Promise(done => held.set(path, done));
      return refused.has(path)
        ? {ok: false, status: 409, text: async () => 'a file can’t be read'}
        : {ok: true, json: async () => answer};
    },
    document: {
      baseURI: 'http://127.0.0.1/',
      addEventListener: nothing,
      getElementById: id => places[id] || {},
    },
  });
  return {
    explorer,
    told,
    held,
    answers,
    take: window.dash_clientside.explorer.take,
    settled: async () => {
      for (let k = 0; k < 20; k++) await new Promise(setImmediate);
      return asked.splice(0).sort().join(' ');
    },
    later: () => timers.splice(0).forEach(call => call()),
  };
}

test('what is written is asked anew as a study goes on, not at each epoch, and not while a file is half-written', async () => {
  const {explorer, take, settled, later} = opened();
  const news = stamp => take({stamp, answers: 'a', payload: {newest: 2, total: 2}});
  await settled();
  explorer.later();
  assert.equal(await settled(), 'answers faces searches written');
  news('2');
  news('3');
  assert.equal(await settled(), '');
  later();
  assert.equal(await settled(), 'searches written');
  later();
  assert.equal(await settled(), '');
  take({stamp: '4', answers: 'a', trouble: 'cut short'});
  assert.equal(await settled(), '');
  news('5');
  assert.equal(await settled(), 'searches written');
});

test('a study that can’t be read as the page opens is asked for again', async () => {
  const refused = new Set(['payload']),
    {settled, later} = opened(refused);
  assert.equal(await settled(), 'payload');
  refused.clear();
  later();
  assert.equal(await settled(), 'payload');
});

test('what the server began to write before a poll leaves alone what the poll brought', async () => {
  const {explorer, told, held, answers, take, settled, later} = opened();
  await settled();
  answers.set('written', {answer: 'old', study: 'running', curves: 'old'});
  held.set('written');
  explorer.later();
  await settled();
  take({stamp: '2', answers: 'a', payload: {newest: 2, total: 2}, waits: false});
  held.get('written')();
  held.delete('written');
  answers.set('written', {answer: 'new', study: 'completed', curves: 'new'});
  await settled();
  assert.deepEqual(told[0], {curves: 'old'});
  later();
  await settled();
  assert.deepEqual(
    told.findLast(texts => texts.curves),
    {answer: 'new', study: 'completed', curves: 'new'},
  );
});

test('the answer is asked for when a model was confirmed, not with the next of the long texts', async () => {
  const {explorer, told, answers, take, settled} = opened();
  await settled();
  explorer.later();
  await settled();
  answers.set('first', {answer: 'B leads', study: 'running'});
  take({stamp: '2', answers: 'b', payload: {newest: 2, total: 2}, waits: true});
  assert.equal(await settled(), 'answers faces first');
  assert.deepEqual(told.at(-1), {answer: 'B leads'});
});
