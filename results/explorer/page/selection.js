// The one selection: which trials, compared at which epoch. Every view reads it and writes it here; so does the
// address, so that a view can be sent as a link and the browser's Back undoes a step.
{
  const state = (explorer.state = {
    brushes: new Map(), // column -> {low, high, absent} of a number, {values} of words and steps ('' is absent)
    find: '', // the table's filter
    picked: null, // a set of keys, where single trials were chosen; null: no such choice
    epoch: null, // null: final accuracies, figures at the furthest that enough reached; 0: each trial's last
    cell: null, // [truth, answer] of the confusion matrix
    faces: 'cell', // which faces are shown
    scope: 'val+test',
    view: '', // where one is on the page
    options: {}, // of single figures: what is drawn against what
  });
  explorer.data = null;
  explorer.selected = new Uint8Array(0); // a 1 for each selected trial
  explorer.count_selected = 0;
  explorer.not_understood = [];
  explorer.hovered = -1;
  const listeners = [];
  explorer.on = listener => listeners.push(listener);

  // At which epoch figures compare trials, and what table, coordinates and filter call the accuracy: the final one (0).
  explorer.epoch = () => state.epoch ?? explorer.data.furthest;
  explorer.shown_epoch = () => state.epoch ?? 0;
  let cache = {};
  explorer.accuracy = () => {
    const epoch = explorer.shown_epoch();
    if (cache.data !== explorer.data || cache.epoch !== epoch) {
      cache = {data: explorer.data, epoch, values: explorer.at(explorer.data, explorer.judged, epoch)};
      cache.axes = explorer.axes(explorer.data, cache.values, epoch);
    }
    return cache.values;
  };
  explorer.all_axes = () => (explorer.accuracy(), cache.axes);

  explorer.passes = (brush, axis, i) => {
    const value = axis.values[i];
    if (brush.values) {
      const word = value === null || Number.isNaN(value) ? '' : String(value);
      return brush.values.includes(word);
    }
    if (value === null || Number.isNaN(value)) return Boolean(brush.absent);
    return brush.low !== null && value >= brush.low && value <= brush.high;
  };

  // Which trials every constraint lets through.
  explorer.select = () => {
    const {data} = explorer,
      axes = explorer.all_axes();
    const brushes = [...state.brushes].map(([name, brush]) => ({
        name,
        brush,
        axis: axes.find(axis => axis.name === name),
      })),
      there = brushes.filter(({axis}) => axis);
    const {test: found, words} = state.find.trim() ? explorer.filter(state.find, axes) : {words: []};
    explorer.not_understood = [
      ...words, // of the filter
      ...brushes
        .filter(({axis}) => !axis)
        .map(
          ({name}) =>
            `Trials don’t differ in «${name.replaceAll('_', ' ')}» here: the address’s choice of it is left out.`,
        ),
    ];
    const mask = new Uint8Array(data.n);
    let count = 0;
    for (let i = 0; i < data.n; i++) {
      if (state.picked && !state.picked.has(data.key[i])) continue;
      if (found && !found(i)) continue;
      if (!there.every(({brush, axis}) => explorer.passes(brush, axis, i))) continue;
      mask[i] = 1;
      count++;
    }
    explorer.selected = mask;
    explorer.count_selected = count;
  };
  explorer.narrowed = () => Boolean(state.brushes.size || state.find.trim() || state.picked);
  explorer.ids = () => explorer.data.key.filter((_, i) => explorer.selected[i]);

  // Change the state and tell every view. `moving`: a drag is under way, only what is in sight must follow.
  explorer.change = (changes, {moving = false, replace = false} = {}) => {
    Object.assign(state, changes);
    explorer.select();
    if (!moving) remember(replace);
    for (const listener of listeners) listener({...changes, moving});
  };
  explorer.brush = (name, brush, moving = false) => {
    const brushes = new Map(state.brushes);
    if (brush) brushes.set(name, brush);
    else brushes.delete(name);
    explorer.change({brushes}, {moving});
  };
  explorer.pick = keys => explorer.change({picked: keys, brushes: new Map(), find: ''});
  explorer.toggle = i => {
    const keys = new Set(explorer.ids()),
      key = explorer.data.key[i];
    const had = keys.delete(key);
    if (had) explorer.change({picked: keys});
    else explorer.pick(keys.add(key));
  };
  explorer.clear = () => explorer.change({brushes: new Map(), find: '', picked: null});
  explorer.hover = i => {
    if (i === explorer.hovered) return;
    explorer.hovered = i;
    for (const listener of listeners) listener({hover: true, moving: true});
  };

  // Keys, STUDY:TRIAL, in few characters: «0:t:4:12..17,19» is t0012 to t0017 and t0019 of the first study, «0:name» a
  // name by itself. What stands between colons is escaped twice, since the address takes one away.
  const escaped = text => encodeURIComponent(encodeURIComponent(text));
  explorer.told_keys = keys => {
    const groups = new Map(),
      alone = [];
    for (const key of keys) {
      const [, study, name] = key.match(/^(\d+):(.*)$/s),
        [, front, digits] = name.match(/^(.*?)(\d{1,12})$/s) || [];
      if (digits === undefined) {
        alone.push(`${study}:${escaped(name)}`);
        continue;
      }
      const group = `${study}:${escaped(front)}:${digits.length}`;
      groups.set(group, [...(groups.get(group) || []), Number(digits)]);
    }
    const runs = numbers => {
      const found = [];
      for (const number of numbers.sort((a, b) => a - b))
        if (found.length && found.at(-1)[1] + 1 === number) found.at(-1)[1] = number;
        else found.push([number, number]);
      return found.map(([from, to]) => (from === to ? from : `${from}..${to}`)).join(',');
    };
    return [...[...groups].map(([group, numbers]) => `${group}:${runs(numbers)}`), ...alone].join(';');
  };
  const MOST = 100000; // trials of one run: a longer one is no address of ours
  const read_keys = text =>
    text.split(';').flatMap(part => {
      const [study, front, width, runs] = part.split(':');
      if (front === undefined) return [];
      const name = plain(front);
      if (runs === undefined) return [`${study}:${name}`];
      return runs.split(',').flatMap(run => {
        const [from, to = from] = run.split('..').map(Number);
        if (!(to - from < MOST)) return [];
        return Array.from(
          {length: to - from + 1},
          (_, k) => `${study}:${name}${String(from + k).padStart(Number(width), '0')}`,
        );
      });
    });
  const plain = text => {
    try {
      return decodeURIComponent(text);
    } catch {
      return text;
    }
  };

  // The address.
  explorer.address = () => {
    const parts = [];
    const put = (name, value) => parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
    for (const [name, brush] of state.brushes) {
      const told = brush.values
        ? brush.values.map(word => (word === '' ? 'absent' : `'${word}`))
        : [
            ...(brush.low === null ? [] : [`${brush.low}..${brush.high}`]),
            ...(brush.absent ? ['absent'] : []),
          ];
      put(`by.${name}`, JSON.stringify(told).slice(1, -1));
    }
    if (state.find.trim()) put('find', state.find);
    if (state.picked) parts.push(`picked=${explorer.told_keys(state.picked)}`);
    if (state.epoch !== null) put('epoch', state.epoch || 'last');
    if (state.cell) put('cell', state.cell.join('.'));
    if (state.faces !== 'cell') put('faces', state.faces);
    if (state.scope !== 'val+test') put('scope', state.scope);
    if (state.view) put('view', state.view);
    for (const [name, value] of Object.entries(state.options)) put(`of.${name}`, value);
    return `#${parts.join('&')}`;
  };
  explorer.read = hash => {
    const fresh = {
      brushes: new Map(),
      find: '',
      picked: null,
      epoch: null,
      cell: null,
      faces: 'cell',
      scope: 'val+test',
      view: '',
      options: {},
    };
    const listed = text => {
      try {
        return JSON.parse(`[${text}]`).filter(word => typeof word === 'string');
      } catch {
        return [];
      }
    };
    for (const [name, value] of new URLSearchParams(hash.replace(/^#/, '').replaceAll('+', '%2B'))) {
      if (name.startsWith('by.')) {
        const told = listed(value);
        if (!told.length) continue;
        const range = told.map(word => word.match(/^(-?[\d.e+-]+)\.\.(-?[\d.e+-]+)$/)).find(Boolean);
        const values = told.filter(word => word.startsWith("'")).map(word => word.slice(1));
        const absent = told.includes('absent');
        fresh.brushes.set(
          name.slice(3),
          range
            ? {low: Number(range[1]), high: Number(range[2]), absent}
            : values.length
              ? {values: absent ? [...values, ''] : values}
              : {low: null, high: null, absent, values: undefined},
        );
      } else if (name === 'find') fresh.find = value;
      else if (name === 'picked')
        fresh.picked = new Set(value.startsWith('"') ? listed(value) : read_keys(value)); // older links quote
      else if (name === 'epoch') fresh.epoch = value === 'last' ? 0 : Number.parseInt(value, 10) || null;
      else if (name === 'cell' && /^\d+\.\d+$/.test(value)) fresh.cell = value.split('.').map(Number);
      else if (name === 'faces' && /^(cell|hard|lone|seen)$/.test(value)) fresh.faces = value;
      else if (name === 'scope' && /^(val|test|val\+test|unseen)$/.test(value)) fresh.scope = value;
      else if (name === 'view' && /^[a-z]+$/.test(value)) fresh.view = value;
      else if (name.startsWith('of.')) fresh.options[name.slice(3)] = value;
    }
    return fresh;
  };
  function remember(replace) {
    const address = explorer.address();
    if (address === (location.hash || '#')) return;
    try {
      history[replace ? 'replaceState' : 'pushState'](null, '', address);
    } catch {
      /* a sandboxed file may have no history: the view still works, only Back doesn't */
    }
  }
  explorer.remember = remember;
  addEventListener('popstate', () => {
    if (explorer.data) {
      const before = state.view;
      Object.assign(state, explorer.read(location.hash));
      explorer.select();
      for (const listener of listeners) listener({...state, moving: false});
      if (state.view !== before) explorer.go?.(state.view || 'overview');
    }
  });
}
