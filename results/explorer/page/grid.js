// A table of many rows of which only those in sight exist: sorted by its heads, walked by the arrow keys.
{
  const {element} = explorer;
  const ROW = 32,
    SPARE = 12;

  // columns: {name, label, get(i), show(value), word}; rows are trials. onpin(i), ontoggle(i).
  explorer.grid = (parent, {name, height = 420, onpin, ontoggle}) => {
    const head = element('tr'),
      body = element('tbody'),
      above = element('tr', {class: 'space', 'aria-hidden': 'true'}),
      below = element('tr', {class: 'space', 'aria-hidden': 'true'});
    // The table has the focus and says which of its rows is the active one: so a screen reader tells that row.
    const table = element(
      'table',
      {role: 'grid', tabindex: 0, 'aria-label': 'Trials', 'aria-multiselectable': 'true'},
      element('thead', {}, head),
      body,
    );
    const scroller = element('div', {class: 'grid', style: `max-height: ${height}px`}, table);
    head.setAttribute('aria-rowindex', 1);
    parent.append(scroller);
    let columns = [],
      rows = [],
      sort = {name: null, down: true},
      active = null, // the key of the row that the arrow keys have reached
      place = 0, // where it stands, or stood
      first = -1,
      last = -1;

    const order = () => {
      const column = columns.find(each => each.name === sort.name);
      if (!column) return;
      const sign = sort.down ? -1 : 1;
      const worth = new Map(rows.map(i => [i, column.get(i)]));
      const none = value => value === null || value === '' || Number.isNaN(value);
      rows.sort((a, b) => {
        const x = worth.get(a),
          y = worth.get(b);
        if (none(x) || none(y)) return none(x) - none(y) || a - b; // absent ones last, either way
        return (x < y ? -1 : x > y ? 1 : 0) * sign || a - b;
      });
    };
    const heads = () =>
      explorer.renew(
        head,
        element('th', {class: 'tick-head'}, element('span', {class: 'hidden'}, 'selected')),
        ...columns.map(column =>
          element(
            'th',
            {
              scope: 'col',
              class: column.word ? 'word' : '',
              'aria-sort': sort.name === column.name ? (sort.down ? 'descending' : 'ascending') : null,
            },
            element(
              'button',
              {
                'data-focus': column.name,
                onclick: () => {
                  sort = {name: column.name, down: sort.name === column.name ? !sort.down : !column.word};
                  explorer.state.options.sort = `${sort.down ? '-' : ''}${sort.name}`;
                  explorer.remember(true);
                  order();
                  stay();
                  heads();
                  show(true);
                },
              },
              column.label,
              element(
                'span',
                {class: 'arrow', 'aria-hidden': 'true'},
                sort.name === column.name ? (sort.down ? ' ↓' : ' ↑') : '',
              ),
            ),
          ),
        ),
      );

    const reach = at => {
      place = Math.max(0, Math.min(rows.length - 1, at));
      active = explorer.data.key[rows[place]] ?? null;
    };
    // After rows came, went or were sorted: the same trial, or the next in the place of one that went.
    const stay = () => {
      if (active === null) return;
      const at = rows.findIndex(i => explorer.data.key[i] === active);
      reach(at < 0 ? place : at);
    };
    function row(at) {
      const i = rows[at],
        chosen = explorer.selected[i];
      const box = element('input', {
        type: 'checkbox',
        tabindex: -1,
        'data-focus': explorer.data.key[i],
        checked: Boolean(chosen),
        'aria-label': `select ${explorer.data.trials.trial_id[i]}`,
        onclick: event => {
          event.stopPropagation();
          ontoggle(i);
        },
      });
      return element(
        'tr',
        {
          id: `${name}-row-${at}`,
          'aria-rowindex': at + 2,
          'aria-selected': String(Boolean(chosen)),
          'data-key': explorer.data.key[i],
          class: `${chosen ? '' : 'out'}${at === place ? ' active' : ''}`,
          onclick: () => {
            reach(at);
            show(true);
            onpin(i);
          },
          onpointerenter: () => explorer.hover(i),
          onpointerleave: () => explorer.hover(-1),
        },
        element('td', {}, box),
        columns.map(column => {
          const value = column.get(i),
            text = column.show
              ? column.show(value, i)
              : column.word
                ? (value ?? '–')
                : explorer.number(value);
          return element(
            'td',
            {class: column.word ? 'word' : '', title: column.long ? text : null},
            column.swatch ? explorer.swatch(value) : null,
            column.long ? element('span', {}, text) : text,
          );
        }),
      );
    }
    function show(again) {
      const from = Math.max(0, Math.floor(scroller.scrollTop / ROW) - SPARE);
      const to = Math.min(rows.length, from + Math.ceil((scroller.clientHeight || height) / ROW) + 2 * SPARE);
      if (!again && from === first && to === last) return;
      first = from;
      last = to;
      above.style.height = `${from * ROW}px`;
      below.style.height = `${(rows.length - to) * ROW}px`;
      table.setAttribute('aria-rowcount', rows.length + 1);
      if (place >= from && place < to) table.setAttribute('aria-activedescendant', `${name}-row-${place}`);
      else table.removeAttribute('aria-activedescendant');
      explorer.renew(body, above, ...Array.from({length: to - from}, (_, k) => row(from + k)), below);
    }
    let waiting = false;
    scroller.addEventListener('scroll', () => {
      if (!waiting) {
        waiting = true;
        requestAnimationFrame(() => {
          waiting = false;
          show(false);
        });
      }
    });
    table.addEventListener('keydown', event => {
      if (event.target !== table) return;
      const page = Math.floor(scroller.clientHeight / ROW) - 2;
      const step = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9}[
        event.key
      ];
      if (step === undefined && event.key !== ' ' && event.key !== 'Enter') return;
      event.preventDefault();
      if (step !== undefined) reach(place + step);
      else if (rows[place] !== undefined) event.key === ' ' ? ontoggle(rows[place]) : onpin(rows[place]);
      const y = place * ROW;
      if (y < scroller.scrollTop) scroller.scrollTop = y;
      if (y + 2 * ROW > scroller.scrollTop + scroller.clientHeight)
        scroller.scrollTop = y + 2.5 * ROW - scroller.clientHeight;
      if (rows[place] !== undefined) explorer.hover(rows[place]);
      show(true);
    });
    return {
      fill: (fresh, list) => {
        columns = fresh;
        rows = list;
        const asked = explorer.state.options.sort || `-${explorer.judged}`;
        sort = {name: asked.replace(/^-/, ''), down: asked.startsWith('-')};
        order();
        heads();
        stay();
        show(true);
      },
      table: () => ({
        columns: columns.map(({name: own, label}) => ({name: own, label})),
        rows: rows.map(i => columns.map(column => column.get(i))),
      }),
      name,
    };
  };
  explorer.swatch = model => {
    const {colour, symbol} = explorer.look(model),
      mark = element('i', {class: `swatch ${symbol}`, 'aria-hidden': 'true'});
    mark.style.color = colour;
    return mark;
  };
}
