// The payload decoded: trials as columns, epochs sorted by trial and epoch. Nothing is drawn here.
const explorer = {views: []};
{
  const KINDS = {f8: Float64Array, f4: Float32Array, i4: Int32Array, u2: Uint16Array, u1: Uint8Array};
  const MEASURES = [
    'val_accuracy',
    'val_balanced_accuracy',
    'val_macro_f1',
    'val_loss',
    'train_accuracy',
    'train_loss',
    'lr',
    'epoch_seconds',
  ];
  const STEPS = 10; // a number with at most so many values stands on an axis at even steps

  explorer.array = ({kind, base64}) => {
    let bytes;
    if (Uint8Array.fromBase64) bytes = Uint8Array.fromBase64(base64);
    else {
      const raw = atob(base64);
      bytes = new Uint8Array(raw.length);
      for (let k = 0; k < raw.length; k++) bytes[k] = raw.charCodeAt(k);
    }
    return new KINDS[kind](bytes.buffer, bytes.byteOffset, bytes.byteLength / KINDS[kind].BYTES_PER_ELEMENT);
  };
  explorer.words = ({words, codes}) =>
    Array.from(explorer.array(codes), code => (code < 0 ? null : words[code]));

  const YES = {True: 'yes', False: 'no'};
  const column = told =>
    told.words ? explorer.words(told).map(word => YES[word] || word) : explorer.array(told);

  // Tags and notes of each trial as texts, for table and filter.
  explorer.noted = (trials, studies) => {
    const of = i => studies[trials.study[i]]?.notes?.[trials.trial_id[i]];
    return {
      tags: trials.trial_id.map((_, i) => of(i)?.tags.join(', ') || null),
      note: trials.trial_id.map((_, i) => of(i)?.note || null),
    };
  };

  // A payload as data. With `old`, the payload holds every trial but only newer epochs.
  explorer.decode = (payload, old = null) => {
    explorer.judged = payload.judged; // the epochs' column by which trials were judged
    explorer.judged_words = payload.judged_words;
    explorer.judged_measure = payload.judged_words.replace(/^val /, '');
    const trials = {};
    for (const [name, told] of Object.entries(payload.trials)) trials[name] = column(told);
    const n = trials.trial_id.length;
    Object.assign(trials, explorer.noted(trials, payload.studies));
    trials.why_ended = explorer.why_ended(trials);
    const key = trials.trial_id.map((id, i) => `${trials.study[i]}:${id}`);
    const place = new Map(key.map((name, i) => [name, i]));
    const data = {
      n,
      key,
      place,
      trials,
      studies: payload.studies,
      styles: payload.styles,
    };
    data.columns = payload.columns.map(told => {
      const values = column(told.values),
        text = Boolean(told.values.words);
      const distinct = [...new Set(Array.from(values).filter(v => (text ? v !== null : !Number.isNaN(v))))];
      const log = told.log && distinct.some(value => value > 0);
      const steps =
        text ||
        (!log && (distinct.length <= 3 || (distinct.length <= STEPS && distinct.every(Number.isInteger))));
      distinct.sort(text ? undefined : (a, b) => a - b);
      const foot = log ? foot_of(distinct) : null;
      return {name: told.name, log, foot, varies: told.varies, text, steps, distinct, values};
    });
    data.lost = Object.fromEntries(
      Object.entries(payload.lost || {}).map(([name, told]) => [name, explorer.array(told)]),
    );
    data.epochs = sorted(payload.epochs, n, old, place);
    const judged = {};
    for (const [name, told] of Object.entries(payload.decisions)) judged[name] = column(told);
    data.decisions = judged;
    data.last = new Int32Array(n); // the newest epoch of each trial, 0 without one
    data.seconds = new Float64Array(n); // of all its epochs
    const {start, epoch, epoch_seconds} = data.epochs;
    for (let i = 0; i < n; i++) {
      if (start[i + 1] > start[i]) data.last[i] = epoch[start[i + 1] - 1];
      for (let k = start[i]; k < start[i + 1]; k++) data.seconds[i] += epoch_seconds[k] || 0;
    }
    data.most = data.last.reduce((a, b) => Math.max(a, b), 0);
    data.common = common(data);
    data.furthest = furthest(data);
    return data;
  };

  // Why each trial ended: its error where it failed. One that was retried keeps the error of before, which ended nothing.
  explorer.why_ended = ({status, error, reason}) =>
    status.map((word, i) => (word === 'failed' && error[i]) || reason[i]);

  // When each study was last heard of, in ms since 1970: its newest epoch, or the end of a trial after it.
  explorer.heard = ({studies, trials}) => {
    const last = studies.map(study => study.newest);
    trials.ended_at.forEach((when, i) => {
      if (when > last[trials.study[i]]) last[trials.study[i]] = when;
    });
    return last;
  };

  // Where 0, which has no logarithm, stands on a logarithmic axis: beneath what does, by an eighth of its length. With the
  // least such value, which a range that reaches so far down begins with; null where every value has a logarithm.
  function foot_of(distinct) {
    if (!(distinct[0] <= 0)) return null;
    const there = distinct.filter(value => value > 0);
    return {
      at: there[0] / Math.max((there.at(-1) / there[0]) ** 0.125, 1.5),
      least: distinct[0],
      label: distinct[0] < 0 ? '≤ 0' : '0',
    };
  }

  // Rows in the order of trial and epoch, start[i]…start[i + 1] being trial i's; a repeated epoch's last row wins.
  function sorted(told, n, old, place) {
    const trial = explorer.array(told.trial),
      epoch = explorer.array(told.epoch);
    const fresh = Object.fromEntries(MEASURES.map(name => [name, explorer.array(told[name])]));
    const lists = Array.from({length: n}, () => []);
    if (old) {
      old.key.forEach((key, i) => {
        const now = place.get(key);
        if (now === undefined) return;
        for (let k = old.epochs.start[i]; k < old.epochs.start[i + 1]; k++)
          lists[now].push([old.epochs.epoch[k], k, old.epochs]);
      });
    }
    for (let k = 0; k < trial.length; k++) lists[trial[k]].push([epoch[k], k, fresh]);
    const start = new Int32Array(n + 1);
    const kept = lists.map((list, i) => {
      list.sort((a, b) => a[0] - b[0]); // stable: an older row of the same epoch comes first
      const clean = list.filter((row, k) => k + 1 === list.length || list[k + 1][0] !== row[0]);
      start[i + 1] = start[i] + clean.length;
      return clean;
    });
    const size = start[n],
      epochs = {start, epoch: new Uint16Array(size), trial: new Int32Array(size)};
    for (const name of MEASURES) epochs[name] = new Float32Array(size).fill(NaN);
    let at = 0;
    kept.forEach((list, i) => {
      for (const [number, k, source] of list) {
        epochs.epoch[at] = number;
        epochs.trial[at] = i;
        for (const name of MEASURES) if (source[name].length) epochs[name][at] = source[name][k];
        at++;
      }
    });
    return epochs;
  }

  // A measure of each trial at an epoch; NaN where it wasn't there. Epoch 0: each at its own last.
  explorer.at = (data, measure, epoch) => {
    const {start, epoch: number} = data.epochs,
      values = data.epochs[measure];
    const found = new Float32Array(data.n).fill(NaN);
    for (let i = 0; i < data.n; i++) {
      let low = start[i],
        high = start[i + 1] - 1;
      if (high < low) continue;
      if (!epoch) {
        found[i] = values[high];
        continue;
      }
      while (low < high) {
        const middle = (low + high) >> 1;
        if (number[middle] < epoch) low = middle + 1;
        else high = middle;
      }
      if (number[low] === epoch) found[i] = values[low];
    }
    return found;
  };

  // The latest epoch that every trial of the search (or, without a search, every trial) reached.
  function common(data) {
    const searched = data.trials.stage.map(stage => stage === 'search');
    const any = searched.some(Boolean);
    let least = Infinity;
    for (let i = 0; i < data.n; i++) {
      const counts =
        data.last[i] && data.trials.status[i] !== 'failed' && data.trials.status[i] !== 'running';
      if (counts && (!any || searched[i])) least = Math.min(least, data.last[i]);
    }
    return Number.isFinite(least) ? least : data.most;
  }

  // The furthest rung, or common epoch, that enough trials reached to compare them: half of the search's, 5 at least and
  // 30 at most.
  const LEAST = 5,
    MOST = 30;
  function furthest(data) {
    const searched = data.trials.stage.some(stage => stage === 'search');
    const last = Array.from(data.last).filter(
      (epoch, i) => epoch && (!searched || data.trials.stage[i] === 'search'),
    );
    const enough = Math.max(LEAST, Math.min(MOST, Math.ceil(last.length / 2))),
      ends = [data.common, data.most, ...new Set(data.decisions.rung)];
    const fit = ends.filter(epoch => last.filter(each => each >= epoch).length >= enough);
    return Math.max(data.common, ...fit);
  }

  // What a trial can be told by, in the order in which people ask: each an axis, a filter, a column of the table.
  explorer.axes = (data, accuracy, epoch) => {
    const t = data.trials;
    const axis = (name, label, values, more = {}) => {
      const text = more.text ?? !ArrayBuffer.isView(values);
      let distinct = more.distinct;
      if (!distinct && text) distinct = [...new Set(values.filter(v => v !== null && v !== ''))].sort();
      return {name, label, values, text, steps: text, log: false, distinct, ...more};
    };
    const axes = [axis('model', 'network', t.model)];
    if (data.studies.length > 1)
      axes.push(
        axis(
          'study',
          'study',
          Array.from(t.study, k => data.studies[k].name),
        ),
      );
    if (new Set(t.stage).size > 1) axes.push(axis('stage', 'stage', t.stage));
    for (const c of data.columns)
      if (c.varies)
        axes.push(
          axis(c.name, c.name.replaceAll('_', ' '), c.values, {
            text: c.text,
            steps: c.steps,
            log: c.log,
            foot: c.foot,
            distinct: c.distinct,
          }),
        );
    axes.push(axis('status', 'status', t.status));
    axes.push(axis('epochs', 'epochs run', Float64Array.from(data.last)));
    axes.push(
      axis(explorer.judged, epoch ? `val at epoch ${epoch}` : `final ${explorer.judged_words}`, accuracy, {
        percent: true,
      }),
    );
    return axes;
  };

  const thousands = new Intl.NumberFormat('en-GB');
  explorer.count = value => thousands.format(value);
  explorer.number = (value, digits = 4) => {
    if (value === null || value === undefined || Number.isNaN(value)) return '–';
    if (Number.isInteger(value))
      return Math.abs(value) < 1e7 ? thousands.format(value) : value.toPrecision(digits);
    const small = Number(Number(value).toPrecision(digits));
    return Math.abs(small) >= 1e-4 && Math.abs(small) < 1e7 ? String(small) : small.toExponential();
  };
  // A number as a person writes it: «1,024» as this page does, «0,01» with a decimal comma, «25 %» for 0.25, as whatever
  // is given in percent; NaN for what is none.
  const GROUPED = /^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/;
  explorer.read_number = (text, percent = false) => {
    const bare = text.trim().replace(/\s*%$/, ''),
      value = GROUPED.test(bare) ? bare.replaceAll(',', '') : bare.replace(/^([+-]?\d*),(?=\d)/, '$1.');
    return bare ? Number(value) / (percent || text.includes('%') ? 100 : 1) : NaN;
  };
  // 73.5 M, 1.2 G; 999,700 are 1 M in three digits, and fewer than 10,000 are written whole.
  explorer.large = value => {
    for (const [size, letter] of [
      [1e18, 'E'],
      [1e15, 'P'],
      [1e12, 'T'],
      [1e9, 'G'],
      [1e6, 'M'],
      [1e3, 'k'],
    ])
      if (value >= (size > 1e3 ? 0.9995 : 10) * size)
        return `${Number((value / size).toPrecision(3))} ${letter}`;
    return explorer.number(value);
  };
  // A mean count: small ones keep a decimal (results.words.whole_or_tenth).
  explorer.whole_or_tenth = count =>
    count >= 10 || Number.isInteger(count) ? explorer.count(Math.round(count)) : count.toFixed(1);
  // With so many decimals as Python writes it: of two that are equally near the even one (31.25 is 31.2).
  explorer.fixed = (value, digits) => {
    const told = value.toFixed(digits), // of the two the larger
      tie = (value * 2 ** (digits + 1)) % 2 === 1;
    return tie && Number(told.at(-1)) % 2 ? (value - 10 ** (-digits - 1)).toFixed(digits) : told;
  };
  explorer.percent = (value, digits = 1) =>
    value === null || value === undefined || Number.isNaN(value)
      ? '–'
      : `${explorer.fixed(100 * value, digits)} %`;
  explorer.duration = seconds => {
    const whole = Math.round(seconds),
      h = Math.floor(whole / 3600),
      m = Math.floor((whole % 3600) / 60);
    if (h) return `${thousands.format(h)} h ${String(m).padStart(2, '0')} min`;
    return m ? `${m} min ${String(whole % 60).padStart(2, '0')} s` : `${whole} s`;
  };
  explorer.listed = words =>
    words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : words.join('');

  // An element: explorer.element('p', {class: 'quiet'}, 'text', child, …). Text is never markup.
  explorer.element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, '');
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.flat().filter(child => child !== null && child !== undefined));
    return made;
  };
  // Another content of an element; what had the focus has it again, by its key or its name.
  const key_of = one => one.dataset.focus || one.getAttribute('aria-label') || one.textContent;
  explorer.held = (parent, change) => {
    const held = document.activeElement,
      within = held !== parent && parent.contains(held),
      key = within && key_of(held);
    change();
    if (!within) return;
    const fields = [
        ...parent.querySelectorAll('button, input, select, textarea, summary, a[href], [tabindex]'),
      ],
      same = held.isConnected ? held : fields.find(one => key_of(one) === key),
      next = same?.disabled ? same.parentElement.querySelector('button:enabled') : same;
    (next || parent.closest('[tabindex="0"]') || fields[0])?.focus({preventScroll: true});
  };
  explorer.renew = (parent, ...children) => explorer.held(parent, () => parent.replaceChildren(...children));
  // The row of buttons under a figure or a table, and a table's head, its first column of words.
  explorer.tools = (...buttons) =>
    explorer.element('div', {class: 'tools'}, explorer.element('span', {class: 'buttons'}, buttons));
  // A button that saves something, named with what it saves.
  explorer.saver = (format, what, onclick) =>
    explorer.element('button', {onclick, 'aria-label': `${format} of ${what}`}, format);
  explorer.heads = names =>
    explorer.element(
      'thead',
      {},
      explorer.element(
        'tr',
        {},
        names.map((name, k) => explorer.element('th', {scope: 'col', class: k ? '' : 'word'}, name)),
      ),
    );
}
