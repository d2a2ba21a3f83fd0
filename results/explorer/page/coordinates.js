// Parallel coordinates: a line per trial, an axis per thing that differs. Drag along an axis to select; a parameter
// that a network doesn't have stands below its axis, as absent. The same filters are fields beneath, for the keyboard.
{
  const {element} = explorer;
  const HEIGHT = 350,
    TOP = 46,
    BOTTOM = 52,
    SLOT = 26,
    ROOM = 112,
    LEFT = 96; // px

  const lg = (axis, value) => (axis.log ? Math.log10(value) : value);
  // Where each trial crosses the axis: 0 at its foot, 1 at its head, below 0 where the value is absent.
  function placed(axis, n) {
    const at = new Float32Array(n),
      values = axis.values;
    if (axis.steps) {
      const place = new Map(
        axis.distinct.map((word, k) => [
          word,
          axis.distinct.length > 1 ? k / (axis.distinct.length - 1) : 0.5,
        ]),
      );
      for (let i = 0; i < n; i++) at[i] = place.get(values[i]) ?? -1;
      axis.from = k => k;
    } else {
      let low = Infinity,
        high = -Infinity;
      for (let i = 0; i < n; i++) {
        const v = lg(axis, values[i]);
        if (v < low) low = v;
        if (v > high) high = v;
      }
      if (!(high > low)) {
        const middle = Number.isFinite(low) ? low : 0;
        low = middle - (axis.log ? 0.5 : 0.5 * Math.abs(middle || 1));
        high = 2 * middle - low;
      }
      for (let i = 0; i < n; i++)
        at[i] = Number.isNaN(values[i]) ? -1 : (lg(axis, values[i]) - low) / (high - low);
      axis.low = low;
      axis.high = high;
    }
    axis.absent = at.some(value => value < 0);
    return at;
  }
  // Six digits, so that what the address holds is what is selected; outwards, so that an end of the axis is within.
  const value_at = (axis, at, outwards) => {
    const flat = axis.low + at * (axis.high - axis.low),
      value = axis.log ? 10 ** flat : flat;
    if (!value) return 0;
    const unit = 10 ** (Math.floor(Math.log10(Math.abs(value))) - 5);
    return Number(((Math.round(value / unit) + outwards) * unit).toPrecision(6));
  };
  const place_of = (axis, value) =>
    axis.steps
      ? axis.distinct.length > 1
        ? axis.distinct.findIndex(word => String(word) === value) / (axis.distinct.length - 1)
        : 0.5
      : (lg(axis, value) - axis.low) / (axis.high - axis.low);
  const told = (axis, value) =>
    axis.percent ? explorer.percent(value) : axis.text ? String(value) : explorer.number(value, 3);

  explorer.coordinates = parent => {
    const base = element('canvas'),
      top = element('canvas'),
      strips = element('div', {class: 'strips'});
    const stage = element('div', {class: 'stage', style: `height: ${HEIGHT}px`}, base, top, strips);
    const summary = element('p', {class: 'summary', id: 'coordinates-summary'});
    const scroller = element(
      'div',
      {
        class: 'coordinates',
        role: 'img',
        'aria-label': 'Parallel coordinates of the trials',
        'aria-describedby': summary.id,
      },
      stage,
    );
    const fields = element('div', {class: 'fields'});
    const filters = element(
      'details',
      {class: 'filters', ontoggle: () => filters.open && explorer.filter_fields(fields, axes)},
      element('summary', {}, 'Filter by value'),
      fields,
    );
    const figure = {name: 'coordinates', wrap: scroller, spec: {image: () => image()}, plot: {}};
    const root = element(
      'figure',
      {id: 'figure-coordinates'},
      summary,
      scroller,
      element(
        'div',
        {class: 'tools'},
        filters,
        element(
          'span',
          {class: 'buttons'},
          element('button', {onclick: () => explorer.save_image(figure, 'svg')}, 'SVG'),
          element('button', {onclick: () => explorer.save_image(figure, 'png')}, 'PNG'),
        ),
      ),
    );
    parent.append(root);
    let axes = [],
      where = [],
      width = 0,
      seen = 0,
      dragged = false,
      late = false,
      shown = '';

    const x_of = k => (axes.length > 1 ? LEFT + (k * (width - LEFT - 50)) / (axes.length - 1) : width / 2);
    const y_of = at => (at < 0 ? HEIGHT - 14 : TOP + (1 - at) * (HEIGHT - TOP - BOTTOM));

    function lines(canvas, wanted, colour, alpha, thick) {
      const c = explorer.context(canvas, stage),
        xs = axes.map((_, k) => x_of(k));
      c.globalAlpha = alpha;
      c.lineWidth = thick;
      for (let i = 0; i < explorer.data.n; i++) {
        if (!wanted(i)) continue;
        c.strokeStyle = colour(i);
        c.beginPath();
        c.moveTo(xs[0], y_of(where[0][i]));
        for (let k = 1; k < axes.length; k++) c.lineTo(xs[k], y_of(where[k][i]));
        c.stroke();
      }
      return c;
    }
    function paint(rest) {
      if (!width) return;
      const many = explorer.count_selected,
        {rest: grey, ink} = explorer.colours(),
        models = explorer.data.trials.model;
      const looks = Object.fromEntries(
        [...new Set(models)].map(model => [model, explorer.look(model).colour]),
      );
      base.hidden = !explorer.narrowed();
      if (rest)
        lines(
          base,
          () => true,
          () => grey,
          explorer.data.n > 300 ? 0.22 : 0.5,
          0.8,
        );
      const c = lines(
        top,
        i => explorer.selected[i],
        i => looks[models[i]],
        many > 1000 ? 0.14 : many > 200 ? 0.32 : many > 40 ? 0.6 : 0.9,
        many > 40 ? 1 : 1.6,
      );
      const i = explorer.hovered;
      if (i >= 0 && i < explorer.data.n) {
        c.globalAlpha = 1;
        c.lineWidth = 3;
        c.strokeStyle = ink;
        c.beginPath();
        axes.forEach((_, k) => c[k ? 'lineTo' : 'moveTo'](x_of(k), y_of(where[k][i])));
        c.stroke();
      }
    }

    function layout() {
      late = dragged; // the axis under the finger must not go: it is laid out anew when let go
      if (dragged) return paint(true);
      seen = scroller.clientWidth;
      const room = Math.max(
        scroller.clientWidth,
        axes.length * ROOM * (scroller.clientWidth < 600 ? 0.8 : 0.75),
      );
      width = room;
      stage.style.width = `${room}px`;
      // An axis that is as it was stays the very element, under a pointer or not, whatever comes live.
      const told = JSON.stringify([
        room,
        axes.map(({name, label, distinct, steps, low, high, absent}) => [
          name,
          label,
          steps ? distinct : 0,
          low,
          high,
          absent,
        ]),
      ]);
      if (told === shown)
        for (const box of strips.children)
          mark(
            axes.find(axis => axis.name === box.dataset.axis),
            box,
          );
      else strips.replaceChildren(...axes.map((axis, k) => strip(axis, k)));
      shown = told;
      paint(true);
    }

    function strip(axis, k) {
      const ticks = axis.steps
        ? axis.distinct.map((word, j) => [
            axis.distinct.length > 1 ? j / (axis.distinct.length - 1) : 0.5,
            told(axis, word),
          ])
        : nice(axis).map(value => [place_of(axis, value), told(axis, value)]);
      const box = element(
        'div',
        {class: 'strip', 'data-axis': axis.name, style: `left: ${x_of(k) - 45}px`},
        element('span', {class: 'name'}, axis.label),
        element('span', {class: 'rule', style: `top: ${TOP}px; height: ${HEIGHT - TOP - BOTTOM}px`}),
        ticks.map(([at, text]) =>
          element('span', {class: 'tick', style: `top: ${y_of(at)}px`, title: text}, text),
        ),
        axis.absent
          ? element(
              'span',
              {class: 'tick none', style: `top: ${y_of(-1)}px`},
              axis.name === 'val_accuracy' ? 'not there' : 'absent',
            )
          : null,
        element('span', {class: 'brushed'}),
      );
      box.addEventListener('pointerdown', event => drag(event, axis, box));
      mark(axis, box);
      return box;
    }
    function mark(axis, box) {
      const brush = explorer.state.brushes.get(axis.name),
        shown = box.querySelector('.brushed');
      shown.replaceChildren();
      box.classList.toggle('on', Boolean(brush));
      if (!brush) return;
      const bars = brush.values
        ? brush.values.map(word => (word === '' ? [-1, -1] : [place_of(axis, word), place_of(axis, word)]))
        : [
            ...(brush.low === null ? [] : [[place_of(axis, brush.low), place_of(axis, brush.high)]]),
            ...(brush.absent ? [[-1, -1]] : []),
          ];
      for (const [low, high] of bars) {
        const room = low === high ? 8 : 0;
        const y = Math.max(y_of(Math.min(high, 1.02)) - room, 0);
        shown.append(
          element('span', {
            style: `top: ${y}px; height: ${y_of(low < 0 ? low : Math.max(low, -0.02)) + room - y}px`,
          }),
        );
      }
    }

    // From the pixel where the pointer went down to where it is: a range, or the steps and the absent in between.
    function drag(event, old, box) {
      const axis = axes.find(each => each.name === old.name);
      if (event.button) return;
      event.preventDefault();
      box.setPointerCapture(event.pointerId);
      const from = event.clientY - box.getBoundingClientRect().top;
      let latest = null,
        waiting = false;
      dragged = true;
      const brush_to = y => {
        const [up, down] = [Math.min(from, y), Math.max(from, y)],
          at = pixel => 1 - (pixel - TOP) / (HEIGHT - TOP - BOTTOM);
        const absent = axis.absent && down > HEIGHT - SLOT;
        if (axis.steps) {
          const values = axis.distinct.map(String).filter(word => {
            const p = y_of(place_of(axis, word));
            return p >= up - 8 && p <= down + 8;
          });
          return values.length || absent ? {values: absent ? [...values, ''] : values} : null;
        }
        const low = Math.max(0, at(down)),
          high = Math.min(1, at(up));
        const range = high > low && up < HEIGHT - BOTTOM;
        return range || absent
          ? {
              low: range ? value_at(axis, low, -1) : null,
              high: range ? value_at(axis, high, 1) : null,
              absent,
              values: undefined,
            }
          : null;
      };
      const move = now => {
        latest = now.clientY - box.getBoundingClientRect().top;
        if (waiting) return;
        waiting = true;
        requestAnimationFrame(() => {
          waiting = false;
          if (latest !== null && Math.abs(latest - from) > 3)
            explorer.brush(axis.name, brush_to(latest), true);
        });
      };
      const done = now => {
        box.removeEventListener('pointermove', move);
        box.removeEventListener('pointerup', done);
        box.removeEventListener('pointercancel', done);
        const y = now.clientY - box.getBoundingClientRect().top;
        latest = null;
        dragged = false;
        if (late) layout();
        if (Math.abs(y - from) > 3) return explorer.brush(axis.name, brush_to(y));
        const told = axis.steps || from > HEIGHT - SLOT ? brush_to(y) : null; // a click: that step alone, again to let go
        const same = JSON.stringify(told) === JSON.stringify(explorer.state.brushes.get(axis.name) || null);
        explorer.brush(axis.name, same ? null : told);
      };
      box.addEventListener('pointermove', move);
      box.addEventListener('pointerup', done);
      box.addEventListener('pointercancel', done);
    }

    function nice(axis) {
      const {low, high} = axis;
      if (axis.log) {
        const found = [];
        for (let d = Math.floor(low); d <= Math.ceil(high); d++)
          for (const m of high - low > 2.5 ? [1] : [1, 2, 5])
            if (Math.log10(m) + d >= low - 1e-9 && Math.log10(m) + d <= high + 1e-9)
              found.push(Number((m * 10 ** d).toPrecision(3)));
        return found;
      }
      const rough = (high - low) / 5,
        size = 10 ** Math.floor(Math.log10(rough)),
        step = [1, 2, 5, 10].find(m => m * size >= rough) * size,
        found = [];
      for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + step * 1e-9; v += step)
        found.push(Number(v.toPrecision(6)));
      return found;
    }
    // Vector lines for an image: the axes as shapes, the trials as two traces with gaps.
    function image() {
      const traces = [],
        groups = {
          rest: [],
          ...Object.fromEntries(Object.keys(explorer.data.styles).map(model => [model, []])),
        };
      for (let i = 0; i < explorer.data.n; i++)
        groups[explorer.selected[i] ? explorer.data.trials.model[i] : 'rest'].push(i);
      for (const [name, rows] of Object.entries(groups)) {
        if (!rows.length) continue;
        traces.push({
          mode: 'lines',
          x: rows.flatMap(() => [...axes.keys(), null]),
          name,
          opacity: name === 'rest' ? 0.3 : 0.5,
          y: rows.flatMap(i => [...where.map(at => (at[i] < 0 ? -0.12 : at[i])), null]),
          line: {color: name === 'rest' ? explorer.colours().rest : explorer.look(name).colour, width: 0.8},
        });
      }
      const notes = axes.flatMap((axis, k) => [
        {x: k, y: 1.12, text: axis.label, showarrow: false},
        ...(axis.steps
          ? axis.distinct.map((word, j) => [
              axis.distinct.length > 1 ? j / (axis.distinct.length - 1) : 0.5,
              told(axis, word),
            ])
          : nice(axis).map(value => [place_of(axis, value), told(axis, value)])
        ).map(([at, text]) => ({
          x: k,
          y: at,
          text,
          showarrow: false,
          xanchor: 'right',
          xshift: -4,
          font: {size: 10},
        })),
      ]);
      const layout = explorer.layout({x: {title: ''}, y: {title: ''}}, HEIGHT);
      return {
        data: traces,
        layout: {
          ...layout,
          annotations: notes.map(note => ({...note, text: note.text.replaceAll('<', '&lt;')})),
          margin: {l: 60, r: 30, t: 20, b: 20},
          xaxis: {visible: false, range: [-0.3, axes.length - 0.7]},
          yaxis: {visible: false, range: [-0.2, 1.2]},
          shapes: axes.map((_, k) => ({
            type: 'line',
            x0: k,
            x1: k,
            y0: 0,
            y1: 1,
            line: {color: explorer.colours().soft, width: 1},
          })),
        },
      };
    }

    new ResizeObserver(() => {
      if (explorer.data && axes.length && scroller.clientWidth !== seen) layout();
    }).observe(scroller);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
      setTimeout(() => paint(true)),
    );
    return {
      refresh: changes => {
        if (changes.hover) return paint(false);
        const fresh = !axes.length || changes.data || 'epoch' in changes;
        if (fresh) {
          axes = explorer
            .all_axes()
            .filter(
              axis =>
                axis.name === 'val_accuracy' ||
                axis.name === 'epochs' ||
                !axis.steps ||
                axis.distinct.length > 1,
            );
          where = axes.map(axis => placed(axis, explorer.data.n));
          layout();
        } else {
          for (const box of strips.children)
            mark(
              axes.find(axis => axis.name === box.dataset.axis),
              box,
            );
          paint(false);
        }
        if (filters.open && !changes.moving) explorer.filter_fields(fields, axes);
        summary.textContent = explorer.data.n
          ? `A line per trial, ${explorer.count(explorer.count_selected)} of ${explorer.count(explorer.data.n)} selected. Drag along an axis to select a range.`
          : 'No trial has started yet.';
      },
    };
  };

  // The filters as fields: numbers from and to, words and steps as boxes.
  explorer.filter_fields = (parent, axes) => {
    if (parent.contains(document.activeElement) && parent.dataset.axes === axes.map(axis => axis.name).join())
      return;
    parent.dataset.axes = axes.map(axis => axis.name).join();
    parent.replaceChildren(
      ...axes.map(axis => {
        const brush = explorer.state.brushes.get(axis.name);
        if (axis.steps) {
          const words = [...axis.distinct.map(String), ...(axis.absent ? [''] : [])];
          const boxes = words.map(word =>
            element('input', {type: 'checkbox', checked: brush?.values?.includes(word), value: word}),
          );
          const set = () => {
            const values = boxes.filter(box => box.checked).map(box => box.value);
            explorer.brush(axis.name, values.length ? {values} : null);
          };
          boxes.forEach(box => box.addEventListener('change', set));
          return element(
            'fieldset',
            {},
            element('legend', {}, axis.label),
            words.map((word, k) =>
              element(
                'label',
                {},
                boxes[k],
                word === '' ? 'absent' : axis.text ? word : told(axis, Number(word)),
              ),
            ),
          );
        }
        const scale = axis.percent ? 100 : 1,
          shown = value => (Number.isFinite(value) ? String(Number((value * scale).toPrecision(6))) : '');
        const from = element('input', {
          type: 'text',
          inputmode: 'decimal',
          'aria-label': `${axis.label} from`,
          value: brush?.low != null ? shown(brush.low) : '',
          size: 7,
          placeholder: 'from',
        });
        const to = element('input', {
          type: 'text',
          inputmode: 'decimal',
          'aria-label': `${axis.label} to`,
          value: brush?.high != null ? shown(brush.high) : '',
          size: 7,
          placeholder: 'to',
        });
        const set = () => {
          const read = (field, or) => {
            const value = Number(field.value.replace(',', '.'));
            return field.value.trim() && !Number.isNaN(value) ? value / scale : or;
          };
          const any = from.value.trim() || to.value.trim();
          explorer.brush(
            axis.name,
            any ? {low: read(from, -1e300), high: read(to, 1e300), absent: false, values: undefined} : null,
          );
        };
        from.addEventListener('change', set);
        to.addEventListener('change', set);
        return element(
          'fieldset',
          {},
          element('legend', {}, axis.label + (axis.percent ? ', %' : '')),
          from,
          to,
        );
      }),
    );
  };
}
