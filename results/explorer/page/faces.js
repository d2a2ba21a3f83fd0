// The faces of a cell, those that all get wrong or one alone gets right, with what each network said of them, FER+'s
// votes where given, and where a CBAM network looked.
{
  const {element, state} = explorer;
  const PAGE = 36,
    SIDE = 32,
    SHEET = SIDE * SIDE;
  const KINDS = {
    cell: 'of the chosen cell',
    hard: 'that all get wrong',
    lone: 'that one alone gets right',
    seen: 'with an attention map',
  };
  let shown = PAGE,
    last = '';
  // {there, why, sheets?, votes?}; `looking` until it is known whether there are any.
  explorer.faces = {there: false, looking: true, why: 'The faces are being read.'};

  // Which images, in which order: the most agreed upon first.
  explorer.faces_of = (told, networks) => {
    const size = told.classes.length,
      many = new Map(),
      seen = new Set(maps_of(told, networks).flatMap(map => [...map.rows]));
    for (const {rows, guess, probability} of networks)
      for (let k = 0; k < rows.length; k++) {
        const row = rows[k];
        if (!explorer.in_scope(row)) continue;
        if (!many.has(row)) many.set(row, {row, right: 0, networks: 0, hits: 0, sure: 0});
        const one = many.get(row),
          label = told.images.label[row];
        one.networks++;
        one.right += guess[k] === label;
        if (state.faces === 'cell') {
          if (!state.cell || guess[k] !== state.cell[1]) continue;
          one.hits++;
          one.sure += probability[k * size + state.cell[1]];
        } else if (guess[k] < size)
          one.sure +=
            state.faces === 'hard' ? probability[k * size + guess[k]] : -probability[k * size + label];
      }
    const wanted = {
      cell: one => state.cell && told.images.label[one.row] === state.cell[0] && one.hits,
      hard: one => !one.right,
      lone: one => one.right === 1 && one.networks > 1,
      seen: one => seen.has(one.row),
    }[state.faces];
    return [...many.values()]
      .filter(wanted)
      .sort((a, b) => b.hits - a.hits || b.sure - a.sure || a.row - b.row);
  };

  // The attention maps of the chosen networks.
  const maps_of = (told, networks) =>
    told.attention.filter(map => networks.some(network => network.key === map.key));

  explorer.face = (row, side) => {
    const {there, looking, sheets} = explorer.faces;
    if (!there)
      return element(
        'span',
        {class: 'face none', style: `width:${side}px;height:${side}px`},
        looking ? 'being read' : 'no picture here',
      );
    const sheet = Math.floor(row / SHEET),
      at = row % SHEET,
      box = element('span', {class: 'face', role: 'img', 'aria-label': 'face'});
    Object.assign(box.style, {
      width: `${side}px`,
      height: `${side}px`,
      backgroundSize: `${SIDE * side}px`,
      backgroundPosition: `-${(at % SIDE) * side}px -${Math.floor(at / SIDE) * side}px`,
      backgroundImage: `url("${sheets ? sheets[sheet] || '' : `sheet/${sheet}.png`}")`,
    });
    return box;
  };
  const answer = (network, row) => {
    let low = 0,
      high = network.rows.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (network.rows[middle] < row) low = middle + 1;
      else high = middle;
    }
    return network.rows[low] === row ? low : -1;
  };
  function mean_of(told, networks, row) {
    const size = told.classes.length,
      sum = new Float64Array(size);
    let many = 0;
    for (const network of networks) {
      const k = answer(network, row);
      if (k < 0 || network.guess[k] === 255) continue;
      many++;
      for (let j = 0; j < size; j++) sum[j] += network.probability[k * size + j] / 255;
    }
    return Array.from(sum, value => (many ? value / many : NaN));
  }
  const votes_of = row => {
    const {votes} = explorer.faces;
    if (!votes) return null;
    return votes.names
      .map((name, j) => [name, votes.counts[row * votes.names.length + j]])
      .filter(([, count]) => count)
      .sort((a, b) => b[1] - a[1]);
  };
  // Why no votes stand here.
  const no_votes = () =>
    explorer.faces.looking
      ? 'The votes are being read.'
      : drawn_faces()
        ? 'These faces are drawn: nobody voted on them.'
        : explorer.live
          ? 'No FER+ votes were given (--votes fer2013new.csv).'
          : 'This file was saved without FER+ votes.';
  const drawn_faces = (explorer.drawn_faces = () => explorer.data.studies.every(study => study.synthetic));
  const bars = (list, most) =>
    element(
      'span',
      {class: 'bars'},
      list.map(([name, share, text, own]) => {
        const bar = element(
          'span',
          {class: `bar${own ? ' truth' : ''}`},
          element('span', {class: 'name'}, name),
          element('span', {class: 'part'}),
          element('span', {class: 'worth'}, text),
        );
        bar.style.setProperty('--part', `${Math.round((100 * share) / most)}%`);
        return bar;
      }),
    );

  function card(told, networks, one) {
    const {row} = one,
      label = told.images.label[row],
      p = mean_of(told, networks, row),
      votes = votes_of(row);
    const top = (Number.isNaN(p[0]) ? [] : p) // no bars of networks that all diverged
      .map((value, j) => [told.classes[j], value, `${Math.round(100 * value)}`, j === label])
      .sort((a, b) => b[1] - a[1])
      .slice(0, 3);
    return element(
      'button',
      {class: 'card', onclick: () => detail(told, networks, row)},
      state.faces === 'seen' ? looked_at(maps_of(told, networks), row) : explorer.face(row, 96),
      element(
        'span',
        {class: 'label'},
        `${told.classes[label]}`,
        element(
          'small',
          {},
          `${told.images.split[row]} ${told.images.image[row]}${told.images.duplicate[row] ? (told.images.split[row] === 'test' ? ', with a copy in train or val' : ', with a copy in train') : ''}`,
        ),
      ),
      bars(top, 1),
      element(
        'small',
        {},
        state.faces === 'cell'
          ? `${one.hits} of ${one.networks} answer ${told.classes[state.cell[1]]}`
          : `${one.right} of ${one.networks} right`,
      ),
      votes
        ? element(
            'small',
            {class: 'votes'},
            `FER+: ${votes
              .slice(0, 3)
              .map(([name, count]) => `${name} ${count}`)
              .join(', ')}`,
          )
        : null,
    );
  }

  function detail(told, networks, row) {
    const dialog = document.getElementById('detail'),
      label = told.images.label[row],
      votes = votes_of(row);
    const maps = told.attention.filter(map => map.rows.includes(row));
    const picture = element('div', {class: 'portrait'}, explorer.face(row, 240));
    const looks = maps.map(map =>
      element(
        'button',
        {
          'aria-pressed': 'false',
          onclick: event => {
            picture.querySelector('canvas')?.remove();
            const on = event.currentTarget.getAttribute('aria-pressed') === 'false';
            for (const button of event.currentTarget.parentElement.querySelectorAll('button'))
              button.setAttribute('aria-pressed', 'false');
            if (!on) return;
            event.currentTarget.setAttribute('aria-pressed', 'true');
            picture.append(attention(map, row));
          },
        },
        `${map.trial}`,
      ),
    );
    const rows = networks
      .map(network => {
        const k = answer(network, row);
        return [network, k];
      })
      .filter(([, k]) => k >= 0);
    const size = told.classes.length;
    const table = element(
      'div',
      {class: 'scroll', tabindex: 0},
      element(
        'table',
        {},
        explorer.heads(['model', ...told.classes]),
        element(
          'tbody',
          {},
          rows.map(([network, k]) =>
            element(
              'tr',
              {},
              element('td', {class: 'word'}, explorer.swatch(network.model), network.trial),
              told.classes.map((_, j) => {
                const share = network.probability[k * size + j] / 255,
                  cell = element(
                    'td',
                    {class: `heat${network.guess[k] === j ? ' said' : ''}`},
                    network.guess[k] === 255 ? '–' : `${Math.round(100 * share)}`,
                  );
                cell.style.setProperty('--a', (share * 0.7).toFixed(2));
                return cell;
              }),
            ),
          ),
        ),
      ),
    );
    dialog.replaceChildren(
      element(
        'div',
        {class: 'head'},
        element('h3', {}, `${told.classes[label]}, ${told.images.split[row]} ${told.images.image[row]}`),
        element('button', {onclick: () => dialog.close(), 'aria-label': 'close'}, '✕'),
      ),
      element(
        'div',
        {class: 'pair'},
        picture,
        element(
          'div',
          {},
          votes
            ? element(
                'div',
                {},
                element('h4', {}, 'FER+’s ten votes'),
                bars(
                  votes.map(([name, count]) => [name, count, String(count), false]),
                  10,
                ),
              )
            : element('p', {class: 'quiet'}, no_votes()),
          element('h4', {}, 'Where CBAM looked'),
          looks.length
            ? element('div', {class: 'controls'}, looks)
            : element(
                'p',
                {class: 'quiet'},
                told.attention.length
                  ? 'No attention map of this image was stored.'
                  : 'No attention maps are stored in this study (attention.parquet).',
              ),
        ),
      ),
      element('h4', {}, 'What each model said, in percent (bold: its answer)'),
      table,
    );
    if (!dialog.open) dialog.showModal();
  }
  // The face under the first map of it.
  function looked_at(maps, row) {
    const map = maps.find(map => map.rows.includes(row));
    const picture = element('span', {class: 'portrait small'}, explorer.face(row, 96));
    picture.append(attention(map, row));
    return picture;
  }
  // The map over the face, in one hue that the face shows through, smooth between its cells (the browser scales it).
  // Full is the most of any image of this network, so that a weak map looks weak.
  const strongest = new WeakMap();
  function attention(map, row) {
    if (!strongest.has(map))
      strongest.set(
        map,
        map.weights.reduce((a, b) => Math.max(a, b), 0),
      );
    const at = map.rows.indexOf(row),
      {side} = map,
      canvas = element('canvas', {width: side, height: side, class: 'attention'}),
      c = canvas.getContext('2d'),
      image = c.createImageData(side, side);
    const values = map.weights.subarray(at * side * side, (at + 1) * side * side),
      low = Math.min(...values),
      high = Math.max(...values),
      most = strongest.get(map);
    values.forEach((value, k) => {
      const share = most > low ? (value - low) / (most - low) : 0;
      image.data.set([253, 231, 55, Math.round(150 * share)], 4 * k);
    });
    c.putImageData(image, 0, 0);
    canvas.setAttribute('role', 'img');
    canvas.setAttribute(
      'aria-label',
      `attention of ${map.trial}, from ${(low / 255).toFixed(2)} to ${(high / 255).toFixed(2)}`,
    );
    return canvas;
  }

  explorer.draw_faces = (box, told, networks) => {
    const list = explorer.faces_of(told, networks),
      asked = JSON.stringify([state.cell, state.faces, state.scope, networks.map(network => network.key)]);
    if (asked !== last) {
      last = asked;
      shown = PAGE;
    }
    const names = state.cell ? state.cell.map(k => told.classes[k]) : null;
    const what =
      state.faces === 'cell'
        ? names
          ? `labelled ${names[0]} that at least one model calls ${names[1]}, most agreement first`
          : ''
        : state.faces === 'hard'
          ? 'that each model gets wrong, the surest first'
          : state.faces === 'lone'
            ? 'that exactly one model gets right, the least sure first'
            : 'of which the study kept where a CBAM network looked: bright is where a late spatial gate lets most through';
    const choices = Object.entries(KINDS)
      .filter(([kind]) => kind !== 'seen' || maps_of(told, networks).length)
      .map(([kind, text]) =>
        element(
          'button',
          {'aria-pressed': String(state.faces === kind), onclick: () => explorer.change({faces: kind})},
          text,
        ),
      );
    const table = () => ({
      columns: ['split', 'image', 'label', 'right', 'models', ...told.classes.map(name => `p_${name}`)].map(
        name => ({name}),
      ),
      rows: list.map(({row, right, networks: many}) => [
        told.images.split[row],
        told.images.image[row],
        told.classes[told.images.label[row]],
        right,
        many,
        ...mean_of(told, networks, row).map(value => (Number.isNaN(value) ? NaN : value.toFixed(3))),
      ]),
    });
    explorer.renew(
      box,
      element('h3', {}, 'Faces'),
      element('div', {class: 'controls'}, choices),
      element(
        'p',
        {class: 'summary', 'aria-live': 'polite'},
        state.faces === 'cell' && !names
          ? 'Choose a cell of the matrix.'
          : `${explorer.count(list.length)} ${list.length === 1 ? 'face' : 'faces'} ${what}.`,
      ),
      explorer.faces.there ? '' : element('p', {class: 'note'}, explorer.faces.why),
      element(
        'div',
        {class: 'cards'},
        list.slice(0, shown).map(one => card(told, networks, one)),
      ),
      explorer.tools(
        list.length > shown
          ? element(
              'button',
              {
                onclick: () => {
                  shown += PAGE;
                  explorer.draw_faces(box, told, networks);
                },
              },
              `${explorer.count(list.length - shown)} more`,
            )
          : null,
        list.length ? explorer.saver('CSV', 'the faces', () => explorer.save_csv('faces', table())) : null,
      ),
    );
  };
}
