// The table's filter: «alexnet lr<0.01 status=stopped». Words are looked for in every text, the rest compares a column,
// named as its heading or as in the tables. What it doesn't understand it says and leaves out.
{
  const HOW = {'<': (a, b) => a < b, '>': (a, b) => a > b, '<=': (a, b) => a <= b, '>=': (a, b) => a >= b};
  const ALIAS = {
    network: 'model',
    trial: 'trial_id',
    accuracy: 'val_accuracy',
    'val accuracy': 'val_accuracy',
    epoch: 'epochs',
    epochs_run: 'epochs',
    'why it ended': 'why_ended',
    time: 'seconds',
  };
  const TEXTS = [
    'trial_id',
    'setting',
    'model',
    'status',
    'stage',
    'why_ended',
    'reason',
    'error',
    'device',
    'tags',
    'note',
  ];

  // What can be compared: name -> {name, label, text, percent, values}.
  function columns(axes) {
    const {data} = explorer,
      found = new Map(axes.map(axis => [axis.name, axis]));
    for (const name of TEXTS)
      if (!found.has(name))
        found.set(name, {name, label: name, text: true, many: name === 'tags', values: data.trials[name]});
    for (const {name, text, values} of data.columns)
      // also what no two trials differ in
      if (!found.has(name)) found.set(name, {name, label: name.replaceAll('_', ' '), text, values});
    if (explorer.shown_epoch())
      found.set(`last_${explorer.judged}`, {
        name: `last_${explorer.judged}`,
        label: `final ${explorer.judged_words}`,
        percent: true,
        values: explorer.at(data, explorer.judged, 0),
      });
    for (const [name, values] of [
      ['seconds', data.seconds],
      ['parameters', data.trials.parameters],
      ['multiply_adds', data.trials.multiply_adds],
      ['retries', data.trials.retries],
    ])
      if (!found.has(name)) found.set(name, {name, label: name.replaceAll('_', ' '), values});
    return found;
  }
  const plain = name => name.trim().toLowerCase().replaceAll('_', ' ');

  // The text as a list of {word} and {column, how, value}. Headings of several words count as one: «batch size = 64».
  explorer.parse = (text, names = []) => {
    const spaced = names.filter(name => name.includes(' ')).sort((a, b) => b.length - a.length);
    let rest = text.replace(/\s*(<=|>=|=|<|>)\s*/g, '$1').replace(/(\d)\s+%(?=\s|$)/g, '$1%');
    for (const name of spaced) {
      const words = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(' ', '[ _]');
      rest = rest.replace(new RegExp(`(^|\\s)${words}(?=[<>=])`, 'gi'), `$1${name.replaceAll(' ', '_')}`);
    }
    return (rest.match(/[^\s"<>=]*(?:<=|>=|=|<|>)(?:"[^"]*"|\S*)|"[^"]*"|\S+/g) || []).map(part => {
      const compared = part.match(/^([^<>="]+)(<=|>=|=|<|>)(.*)$/);
      return compared
        ? {column: compared[1], how: compared[2], value: compared[3].replace(/^"|"$/g, '')}
        : {word: part.replace(/^"|"$/g, '').toLowerCase()};
    });
  };

  // {test(i), words}: whether a trial is found, and what of the text wasn't understood.
  explorer.filter = (text, axes) => {
    const known = columns(axes),
      names = new Map();
    for (const {name, label} of known.values()) {
      names.set(plain(name), name);
      names.set(plain(label), name);
    }
    for (const [alias, name] of Object.entries({...ALIAS, [explorer.judged_words]: explorer.judged}))
      if (known.has(name)) names.set(plain(alias), name);
    const words = [],
      tests = [];
    for (const want of explorer.parse(text, [...names.keys()])) {
      if (want.word !== undefined) {
        tests.push(word(want.word, known));
        continue;
      }
      const column = known.get(names.get(plain(want.column)));
      const {test, why} = column ? compared(column, want) : {why: unknown(want.column, known)};
      if (why) words.push(why);
      else tests.push(test);
    }
    return {test: i => tests.every(test => test(i)), words};
  };
  const word = (wanted, known) => {
    const texts = [...known.values()].filter(({text}) => text);
    return i => texts.some(({values}) => (values?.[i] || '').toLowerCase().includes(wanted));
  };
  const unknown = (name, known) =>
    `There is no column «${name}»: ${explorer.listed([...known.values()].map(({label}) => label))}.`;

  // «lr<0.01», «accuracy>25» (percent where the column is), «status=Stopped», «cbam order=» for what has none.
  function compared({label, text, many, percent, values}, {how, value}) {
    const wanted = value.toLowerCase();
    let number = explorer.read_number(value);
    if (percent && number > 1 && !value.includes('%')) number /= 100;
    if (how === '=') {
      if (value === '') return {test: i => values[i] === null || values[i] === '' || Number.isNaN(values[i])};
      const own = i => String(values[i] ?? '').toLowerCase();
      if (many) return {test: i => own(i).split(', ').includes(wanted)};
      return text
        ? {test: i => own(i) === wanted}
        : Number.isNaN(number)
          ? {why: `«${label}» holds numbers, and «${value}» is none.`}
          : {test: i => Math.abs(values[i] - number) <= 1e-6 * Math.abs(number)};
    }
    if (text) return {why: `«${label}» holds words: compare it by =, not by ${how}.`};
    if (value === '') return {why: `«${label}${how}» lacks its number.`};
    if (Number.isNaN(number)) return {why: `«${label}» holds numbers, and «${value}» is none.`};
    return {test: i => HOW[how](values[i], number)};
  }
}
