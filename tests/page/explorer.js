// The page's scripts outside a browser: joined as document.py joins them, in a context of their own.
import {readFileSync} from 'node:fs';
import vm from 'node:vm';

const FOLDER = new URL('../../results/explorer/page/', import.meta.url);

// An element of which nothing is seen: what scripts put on their page goes nowhere.
const element = () => ({
  style: {setProperty() {}},
  options: [],
  parentElement: {},
  append() {},
  replaceChildren() {},
  setAttribute() {},
  addEventListener() {},
});

// `explorer` with these scripts' functions; `hash` is the address, `pushed` what became of it.
export function load(names = ['data', 'selection', 'arithmetic', 'filter'], hash = '') {
  const pushed = [];
  const push = (state, title, address) => pushed.push(address);
  const context = vm.createContext({
    addEventListener: () => {},
    document: {createElement: element},
    location: {hash},
    history: {pushState: push, replaceState: push},
    atob,
    URLSearchParams,
  });
  const code = names.map(name => readFileSync(new URL(`${name}.js`, FOLDER), 'utf8')).join('\n');
  const explorer = vm.runInContext(`${code}\nexplorer`, context);
  return {explorer, pushed};
}

// Values of the page's context as this one's, for assert: maps and sets as lists, absent numbers as null.
export const plain = value =>
  JSON.parse(
    JSON.stringify(value, (_, inner) => {
      if (typeof inner === 'number' && !Number.isFinite(inner)) return null;
      if (Object.prototype.toString.call(inner) === '[object Map]') return [...inner];
      if (Object.prototype.toString.call(inner) === '[object Set]') return [...inner];
      return ArrayBuffer.isView(inner) ? Array.from(inner) : inner;
    }),
  );
