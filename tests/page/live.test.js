// What the live page asks its server for, with a server and a clock of our own.
import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import test from 'node:test';
import vm from 'node:vm';

const SCRIPT = new URL('../../results/explorer/page/live.js', import.meta.url);
const first = {stamp: '1', answers: 'a', payload: {newest: 1}};

test('what is written is asked anew as a study goes on, not at each epoch, and not while a file is half-written', async () => {
  const asked = [],
    timers = [],
    nothing = () => {},
    places = {
      '_dash-config': {textContent: '{"requests_pathname_prefix":"/"}'},
      dash: {content: {querySelectorAll: () => []}},
    };
  const explorer = {
    take_payload: nothing,
    take_answers: nothing,
    take_faces: nothing,
    take_written: nothing,
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
      return {ok: true, json: async () => (path === 'payload' ? first : {})};
    },
    document: {
      baseURI: 'http://127.0.0.1/',
      addEventListener: nothing,
      getElementById: id => places[id] || {},
    },
  });
  const settled = async () => {
    for (let k = 0; k < 20; k++) await new Promise(setImmediate);
    return asked.splice(0).sort().join(' ');
  };
  const later = () => timers.splice(0).forEach(call => call());
  const {take} = window.dash_clientside.explorer;
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
