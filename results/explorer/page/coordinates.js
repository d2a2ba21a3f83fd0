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

  const lg = (axis, value) => (axis.log ? Math.log10(value <= 0 ? (axis.foot?.at ?? 0) : value) : value);
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
    if (axis.foot && value < axis.foot.at * 1.2) return axis.foot.least;
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
  // An end of a brush, which may lie beyond its axis, or have no logarithm.
  const end_of = (axis, value) => Math.min(Math.max(place_of(axis, value) || 0, 0), 1);
  const told = (axis, value) =>
    axis.foot && value <= 0
      ? axis.foot.label
      : axis.percent
        ? explorer.percent(value)
        : axis.text
          ? String(value)
          : explorer.number(value, 3);

  // From poor to good, so that the good ones stand out from the page: pale to dark, at night dim to bright.
  const RAMPS = {
    light: [
      [208, 216, 226],
      [104, 158, 204],
      [8, 48, 107],
    ],
    dark: [
      [62, 71, 86],
      [72, 150, 190],
      [253, 231, 55],
    ],
  };
  explorer.good = share => {
    const ramp = RAMPS[explorer.night() ? 'dark' : 'light'],
      at = Math.min(Math.max(share, 0), 1) * (ramp.length - 1),
      k = Math.min(Math.floor(at), ramp.length - 2);
    return `rgb(${ramp[k].map((low, j) => Math.round(low + (at - k) * (ramp[k + 1][j] - low))).join(',')})`;
  };
  // How the axes stand, as the address has it: «lr,-dropout,!seed» is an order, one upside down, one hidden.
  const arranged = () =>
    (explorer.state.options.axes || '')
      .split(',')
      .filter(Boolean)
      .map(word => ({
        name: decodeURIComponent(word.replace(/^[-!]+/, '')),
        inverted: /^!?-/.test(word),
        hidden: word.startsWith('!'),
      }));
  const arrange = list =>
    explorer.change({
      options: {
        ...explorer.state.options,
        axes: list
          .map(
            ({name, inverted, hidden}) =>
              `${hidden ? '!' : ''}${inverted ? '-' : ''}${encodeURIComponent(name)}`,
          )
          .join(','),
      },
    });

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
    const order = element('div', {class: 'fields'});
    const arrangement = element(
      'details',
      {class: 'filters', id: 'axes', ontoggle: () => arrangement.open && axis_fields()},
      element('summary', {}, 'Order of axes'),
      order,
    );
    const coloured = explorer.choice(
      'colour',
      'Colour',
      {accuracy: explorer.judged_measure, model: 'network'},
      'accuracy',
    );
    const scale = element('p', {class: 'key', id: 'coordinates-key'}),
      tip = element('div', {class: 'tip', hidden: true});
    const filters = element(
      'details',
      {class: 'filters', ontoggle: () => filters.open && explorer.filter_fields(fields, axes)},
      element('summary', {}, 'Filter by value'),
      fields,
    );
    const figure = {
      name: 'coordinates',
      title: 'Parallel coordinates',
      wrap: scroller,
      spec: {image: () => image()},
      plot: {},
    };
    const root = element(
      'figure',
      {id: 'figure-coordinates'},
      summary,
      element('div', {class: 'controls'}, coloured.box, scale),
      element('div', {class: 'drawing'}, scroller, tip),
      element(
        'div',
        {class: 'tools'},
        filters,
        arrangement,
        element(
          'span',
          {class: 'buttons'},
          explorer.saver('SVG', figure.title, () => explorer.save_image(figure, 'svg')),
          explorer.saver('PNG', figure.title, () => explorer.save_image(figure, 'png')),
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
      shown = '',
      ranked = [], // trials, the poorest first: the best are drawn last, on top
      scaled = {}, // what the colours cover
      share = new Float32Array(0), // of that range
      place = new Float32Array(0); // 0 is the poorest, 1 the best

    // The accuracy's axis, the last, stays in sight; axes that come under it when scrolled wait.
    const natural = k => (axes.length > 1 ? LEFT + (k * (width - LEFT - 50)) / (axes.length - 1) : width / 2);
    const pinned = () => Math.min(width, scroller.scrollLeft + seen) - 50;
    const x_of = k => (axes.length > 1 && k === axes.length - 1 ? pinned() : natural(k));
    const in_sight = () => [...axes.keys()].filter(k => k === axes.length - 1 || natural(k) < pinned() - 56);
    const y_of = at => (at < 0 ? HEIGHT - 14 : TOP + (1 - at) * (HEIGHT - TOP - BOTTOM));
    const y_at = (axis, at) => y_of(axis.inverted && at >= 0 ? 1 - at : at);

    function lines(canvas, list, look) {
      const c = explorer.context(canvas, stage),
        ks = in_sight(),
        xs = ks.map(x_of);
      for (const i of list) {
        const {colour, alpha, thick} = look(i);
        c.globalAlpha = alpha;
        c.lineWidth = thick;
        c.strokeStyle = colour;
        c.beginPath();
        ks.forEach((k, n) => c[n ? 'lineTo' : 'moveTo'](xs[n], y_at(axes[k], where[k][i])));
        c.stroke();
      }
      return c;
    }
    // Of many the good ones are seen, and the rest is a shade; few are all seen.
    function look_of(many) {
      if (coloured.value === 'model') {
        const models = explorer.data.trials.model,
          alpha = many > 1000 ? 0.14 : many > 200 ? 0.32 : many > 40 ? 0.6 : 0.9;
        return i => ({colour: explorer.look(models[i]).colour, alpha, thick: many > 40 ? 1 : 1.6});
      }
      return i => {
        const top = place[i] > 0.95,
          good = place[i] > 0.8,
          alpha = many <= 40 ? 0.9 : top ? 0.9 : good ? 0.5 : many > 1000 ? 0.06 : many > 200 ? 0.12 : 0.3;
        return {
          colour: explorer.good(Number.isNaN(share[i]) ? 0 : share[i]),
          alpha,
          thick: many <= 40 || top ? 1.6 : 1,
        };
      };
    }
    function rank() {
      const {data} = explorer,
        values = explorer.accuracy();
      const worth = i => (Number.isNaN(values[i]) ? -1 : values[i]);
      ranked = [...Array(data.n).keys()].sort((a, b) => worth(a) - worth(b));
      scaled = explorer.colour_range(values);
      const {low, high, cut} = scaled;
      share = Float32Array.from(values, value => Math.max(0, (value - low) / (high - low || 1)));
      place = new Float32Array(data.n);
      ranked.forEach((i, k) => {
        place[i] = data.n > 1 ? k / (data.n - 1) : 1;
      });
      const bar = element('i', {class: 'gradient', 'aria-hidden': 'true'});
      bar.style.background = `linear-gradient(90deg, ${[0, 0.5, 1].map(explorer.good).join(',')})`;
      if (coloured.value === 'model') explorer.key(scale);
      else
        scale.replaceChildren(
          `${cut ? '≤ ' : ''}${explorer.percent(low)}`,
          bar,
          `${explorer.percent(high)} ${explorer.judged_words}${cut ? '; the scale covers the best 5 %' : ''}`,
        );
    }
    function paint(rest) {
      if (!width) return;
      const {rest: grey, ink} = explorer.colours(),
        alpha = explorer.data.n > 300 ? 0.22 : 0.5;
      base.hidden = !explorer.narrowed();
      if (rest) lines(base, ranked, () => ({colour: grey, alpha, thick: 0.8}));
      const c = lines(
        top,
        ranked.filter(i => explorer.selected[i]),
        look_of(explorer.count_selected),
      );
      const i = explorer.hovered;
      if (i >= 0 && i < explorer.data.n) {
        c.globalAlpha = 1;
        c.lineWidth = 3;
        c.strokeStyle = ink;
        c.beginPath();
        in_sight().forEach((k, n) => c[n ? 'lineTo' : 'moveTo'](x_of(k), y_at(axes[k], where[k][i])));
        c.stroke();
      }
    }
    // The selected line under the pointer, within a few pixels.
    function under(x, y) {
      const ks = in_sight(),
        n = ks.findIndex((k, j) => j + 1 < ks.length && x >= x_of(k) && x <= x_of(ks[j + 1]));
      if (n < 0) return -1;
      const [a, b] = [ks[n], ks[n + 1]],
        part = (x - x_of(a)) / (x_of(b) - x_of(a) || 1);
      let found = -1,
        nearest = 7;
      for (const i of ranked) {
        if (!explorer.selected[i]) continue;
        const from = y_at(axes[a], where[a][i]),
          away = Math.abs(from + part * (y_at(axes[b], where[b][i]) - from) - y);
        if (away <= nearest) {
          nearest = away;
          found = i;
        }
      }
      return found;
    }
    let pointing = false;
    stage.addEventListener('pointermove', event => {
      if (pointing || dragged || event.pointerType === 'touch') return;
      pointing = true;
      requestAnimationFrame(() => {
        pointing = false;
        const box = stage.getBoundingClientRect(),
          x = event.clientX - box.left,
          y = event.clientY - box.top,
          i = under(x, y);
        explorer.hover(i);
        tip.hidden = i < 0;
        if (i < 0) return;
        const {trials, last} = explorer.data;
        tip.textContent = `${trials.trial_id[i]}, ${trials.model[i]}: ${explorer.percent(explorer.accuracy()[i])}, epoch ${explorer.shown_epoch() || last[i]}`;
        tip.style.left = `${Math.min(Math.max(x - scroller.scrollLeft, 90), seen - 90)}px`;
        tip.style.top = `${y}px`;
        tip.classList.toggle('below', y < 70);
      });
    });
    stage.addEventListener('pointerleave', () => {
      tip.hidden = true;
      explorer.hover(-1);
    });
    let scrolled = false;
    scroller.addEventListener('scroll', () => {
      if (scrolled) return;
      scrolled = true;
      requestAnimationFrame(() => {
        scrolled = false;
        stand();
        paint(true);
      });
    });
    // Where the axes stand now that it was scrolled.
    function stand() {
      const there = new Set(in_sight());
      [...strips.children].forEach((box, k) => {
        box.style.left = `${x_of(k) - 45}px`;
        box.hidden = !there.has(k);
      });
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
      explorer.measure(stage);
      // An axis that is as it was stays the very element, under a pointer or not, whatever comes live.
      const told = JSON.stringify([
        room,
        axes.map(({name, label, distinct, steps, low, high, absent, inverted}) => [
          name,
          label,
          inverted,
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
      stand();
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
        element(
          'span',
          {
            class: 'name',
            title:
              axis.name === explorer.judged
                ? 'double click: upside down'
                : 'drag to move; double click: upside down',
            ondblclick: () => turn(axis.name),
            onpointerdown: event => move(event, axis, box),
          },
          axis.label + (axis.inverted ? ' ↓' : ''),
        ),
        element('span', {class: 'rule', style: `top: ${TOP}px; height: ${HEIGHT - TOP - BOTTOM}px`}),
        ticks.map(([at, text]) =>
          element('span', {class: 'tick', style: `top: ${y_at(axis, at)}px`, title: text}, text),
        ),
        axis.absent
          ? element(
              'span',
              {class: 'tick none', style: `top: ${y_of(-1)}px`},
              axis.name === explorer.judged ? 'no value' : 'absent',
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
            ...(brush.low === null ? [] : [[end_of(axis, brush.low), end_of(axis, brush.high)]]),
            ...(brush.absent ? [[-1, -1]] : []),
          ];
      for (const [low, high] of bars) {
        const room = low === high ? 8 : 0,
          ends = [low, high].map(at => y_at(axis, at)),
          y = Math.max(Math.min(...ends) - room, 0);
        shown.append(element('span', {style: `top: ${y}px; height: ${Math.max(...ends) + room - y}px`}));
      }
    }

    const standing = () => {
      const told = arranged(),
        known = new Map(told.map(one => [one.name, one]));
      return [
        ...told.filter(one => axes_named(one.name)),
        ...all_axes().filter(axis => !known.has(axis.name)),
      ].map(({name, inverted = false, hidden = false}) => ({name, inverted, hidden}));
    };
    const turn = name =>
      arrange(standing().map(one => (one.name === name ? {...one, inverted: !one.inverted} : one)));
    const put = (name, before) => {
      const list = standing(),
        own = list.find(one => one.name === name),
        rest = list.filter(one => one !== own),
        at = before === null ? rest.length : rest.findIndex(one => one.name === before);
      arrange([...rest.slice(0, at), own, ...rest.slice(at)]);
    };
    // An axis by its name to where it is let go.
    function move(event, axis, box) {
      event.stopPropagation();
      if (event.button || axis.name === explorer.judged) return;
      const handle = event.currentTarget,
        from = event.clientX;
      let moved = 0;
      handle.setPointerCapture(event.pointerId);
      const follow = now => {
        moved = now.clientX - from;
        box.style.transform = Math.abs(moved) > 4 ? `translateX(${moved}px)` : '';
      };
      const done = () => {
        for (const name of ['pointermove', 'pointerup', 'pointercancel'])
          handle.removeEventListener(name, name === 'pointermove' ? follow : done);
        box.style.transform = '';
        if (Math.abs(moved) < 20) return;
        const x = x_of(axes.findIndex(each => each.name === axis.name)) + moved,
          next = axes.find((each, k) => each.name !== axis.name && x_of(k) > x);
        put(axis.name, next ? next.name : null);
      };
      handle.addEventListener('pointermove', follow);
      handle.addEventListener('pointerup', done);
      handle.addEventListener('pointercancel', done);
    }
    // The same for the keyboard.
    function axis_fields() {
      const list = standing();
      explorer.renew(
        order,
        ...list.map(({name, inverted, hidden}, k) => {
          const {label} = axes_named(name),
            last = name === explorer.judged;
          const button = (text, what, act, off) =>
            element('button', {onclick: act, disabled: off, 'aria-label': `${what} ${label}`}, text);
          return element(
            'fieldset',
            {},
            element('legend', {}, label),
            last
              ? null
              : element(
                  'label',
                  {},
                  element('input', {
                    type: 'checkbox',
                    checked: !hidden,
                    'aria-label': `show ${label}`,
                    onchange: () =>
                      arrange(list.map(one => (one.name === name ? {...one, hidden: !hidden} : one))),
                  }),
                  'shown',
                ),
            button(inverted ? 'Upright' : 'Invert', 'invert', () => turn(name)),
            last ? null : button('←', 'move left', () => put(name, list[k - 1]?.name ?? name), k === 0),
            last
              ? null
              : button('→', 'move right', () => put(name, list[k + 2]?.name ?? null), k + 1 >= list.length),
          );
        }),
      );
    }
    const useful = axis =>
      axis.name === explorer.judged || axis.name === 'epochs' || !axis.steps || axis.distinct.length > 1;
    const all_axes = () => explorer.all_axes().filter(useful);
    const axes_named = name => all_axes().find(axis => axis.name === name);

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
          upright = pixel => 1 - (pixel - TOP) / (HEIGHT - TOP - BOTTOM),
          at = pixel => (axis.inverted ? 1 - upright(pixel) : upright(pixel));
        const absent = axis.absent && down > HEIGHT - SLOT;
        if (axis.steps) {
          const values = axis.distinct.map(String).filter(word => {
            const p = y_at(axis, place_of(axis, word));
            return p >= up - 8 && p <= down + 8;
          });
          return values.length || absent ? {values: absent ? [...values, ''] : values} : null;
        }
        const low = Math.max(0, Math.min(at(down), at(up))),
          high = Math.min(1, Math.max(at(down), at(up)));
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
        if (axis.foot) found.push(axis.foot.least);
        const least = axis.foot ? Math.log10(1.2 * axis.foot.at) : low;
        for (let d = Math.floor(low); d <= Math.ceil(high); d++)
          for (const m of high - low > 2.5 ? [1] : [1, 2, 5])
            if (Math.log10(m) + d >= least - 1e-9 && Math.log10(m) + d <= high + 1e-9)
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
      const groups = new Map(), // name -> {rows, colour}, in the order of drawing
        by_model = coloured.value === 'model',
        of = i =>
          by_model
            ? [explorer.data.trials.model[i], explorer.look(explorer.data.trials.model[i]).colour]
            : [`${Math.round(9 * (share[i] || 0))}`, explorer.good(Math.round(9 * (share[i] || 0)) / 9)];
      for (const i of [
        ...ranked.filter(i => !explorer.selected[i]),
        ...ranked.filter(i => explorer.selected[i]),
      ]) {
        const [name, colour] = explorer.selected[i] ? of(i) : ['not selected', explorer.colours().rest];
        if (!groups.has(name)) groups.set(name, {rows: [], colour});
        groups.get(name).rows.push(i);
      }
      const up = (k, at) => (at < 0 ? -0.12 : axes[k].inverted ? 1 - at : at);
      const traces = [...groups].map(([name, {rows, colour}]) => ({
        mode: 'lines',
        name,
        showlegend: by_model || name === 'not selected',
        opacity: name === 'not selected' ? 0.25 : by_model ? 0.5 : 0.3 + 0.07 * Number(name),
        x: rows.flatMap(() => [...axes.keys(), null]),
        y: rows.flatMap(i => [...where.map((at, k) => up(k, at[i])), null]),
        line: {color: colour, width: 1},
      }));
      if (!by_model) {
        const words = explorer.shown_epoch()
          ? `val at epoch ${explorer.shown_epoch()}`
          : `final ${explorer.judged_words}`;
        traces.push(
          explorer.colour_bar({
            ...scaled,
            colour: explorer.good,
            title: scaled.cut ? `${words}, best 5 %` : words,
          }),
        );
      }
      // a tick's label stands on the page's colour, so that lines don't cross it
      const small = {
        showarrow: false,
        xanchor: 'right',
        xshift: -4,
        font: {size: 10},
        bgcolor: explorer.colours().paper,
      };
      const notes = axes.flatMap((axis, k) => [
        {x: k, y: 1.12, text: axis.label + (axis.inverted ? ' ↓' : ''), showarrow: false},
        ...(axis.absent ? [{x: k, y: -0.12, text: 'absent', ...small}] : []),
        ...(axis.steps
          ? axis.distinct.map((word, j) => [
              axis.distinct.length > 1 ? j / (axis.distinct.length - 1) : 0.5,
              told(axis, word),
            ])
          : nice(axis).map(value => [place_of(axis, value), told(axis, value)])
        ).map(([at, text]) => ({x: k, y: up(k, at), text, ...small})),
      ]);
      const layout = explorer.layout({x: {title: ''}, y: {title: ''}}, HEIGHT);
      return {
        data: traces,
        layout: {
          ...layout,
          annotations: notes.map(note => ({...note, text: note.text.replaceAll('<', '&lt;')})),
          margin: {l: 60, r: 30, t: 60, b: 20},
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
    return {
      refresh: changes => {
        if (changes.hover) return paint(false);
        const fresh = !axes.length || changes.data || 'epoch' in changes || 'options' in changes;
        if (fresh) {
          const told = new Map(standing().map((one, k) => [one.name, {...one, k}]));
          axes = all_axes()
            .filter(axis => axis.name === explorer.judged || !told.get(axis.name).hidden)
            .sort(
              (a, b) =>
                (a.name === explorer.judged) - (b.name === explorer.judged) ||
                told.get(a.name).k - told.get(b.name).k,
            );
          for (const axis of axes) axis.inverted = told.get(axis.name).inverted;
          coloured.fill();
          rank();
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
        if (arrangement.open && fresh) axis_fields();
        if (filters.open && !changes.moving) explorer.filter_fields(fields, axes);
        summary.textContent = explorer.data.n
          ? `A line per trial, ${explorer.count(explorer.count_selected)} of ${explorer.count(explorer.data.n)} selected. Drag along an axis to select a range.`
          : 'No trial has started yet.';
      },
    };
  };

  const OPEN = 1e300; // the end of a range that has none
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
          shown = value =>
            Math.abs(value ?? NaN) < OPEN ? String(Number((value * scale).toPrecision(6))) : '';
        const from = element('input', {
          type: 'text',
          inputmode: 'decimal',
          'aria-label': `${axis.label} from`,
          value: shown(brush?.low),
          size: 7,
          placeholder: 'from',
        });
        const to = element('input', {
          type: 'text',
          inputmode: 'decimal',
          'aria-label': `${axis.label} to`,
          value: shown(brush?.high),
          size: 7,
          placeholder: 'to',
        });
        const set = () => {
          const read = (field, or) =>
            field.value.trim() ? explorer.read_number(field.value, axis.percent) : or;
          const ends = {low: read(from, -OPEN), high: read(to, OPEN)},
            any = from.value.trim() || to.value.trim();
          from.setCustomValidity(Number.isNaN(ends.low) ? `«${from.value}» is no number.` : '');
          to.setCustomValidity(Number.isNaN(ends.high) ? `«${to.value}» is no number.` : '');
          if (from.reportValidity() && to.reportValidity())
            explorer.brush(axis.name, any ? {...ends, absent: false, values: undefined} : null);
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
