// The marks of the trials: painted on a figure's canvas, found under the pointer, or told as plotly's traces.
// marks: {kind: 'lines' | 'points', x, y, start?, trial?, symbol?}. Lines: trial i's run from start[i] to start[i + 1].
// Points: trial[k] is the k-th's. The rest is faint and beneath, the selected stand in their network's colour.
{
  const SIZE = 4.2;
  const ENDS = {x: 'stopped early', 'triangle-up': 'failed'}; // marks at the end of a trial
  const SHAPES = {
    circle: (c, x, y, r) => c.arc(x, y, r, 0, 7),
    square: (c, x, y, r) => c.rect(x - r * 0.88, y - r * 0.88, r * 1.76, r * 1.76),
    diamond: (c, x, y, r) => {
      c.moveTo(x, y - r * 1.3);
      c.lineTo(x + r * 1.3, y);
      c.lineTo(x, y + r * 1.3);
      c.lineTo(x - r * 1.3, y);
      c.closePath();
    },
    'triangle-up': (c, x, y, r) => {
      c.moveTo(x, y - r * 1.2);
      c.lineTo(x + r * 1.1, y + r * 0.8);
      c.lineTo(x - r * 1.1, y + r * 0.8);
      c.closePath();
    },
    'triangle-down': (c, x, y, r) => {
      c.moveTo(x, y + r * 1.2);
      c.lineTo(x + r * 1.1, y - r * 0.8);
      c.lineTo(x - r * 1.1, y - r * 0.8);
      c.closePath();
    },
    pentagon: (c, x, y, r) => {
      for (let k = 0; k < 5; k += 1) {
        const angle = (Math.PI * (4 * k - 5)) / 10;
        c.lineTo(x + r * 1.1 * Math.cos(angle), y + r * 1.1 * Math.sin(angle));
      }
      c.closePath();
    },
    x: (c, x, y, r) => {
      c.moveTo(x - r, y - r);
      c.lineTo(x + r, y + r);
      c.moveTo(x - r, y + r);
      c.lineTo(x + r, y - r);
    },
  };
  // Pixels of data values: (value - offset) * scale, the log taken first where the axis has one.
  const scales = figure => {
    const full = figure.plot._fullLayout;
    if (!full?.xaxis?._length) return null;
    const {xaxis: x, yaxis: y} = full;
    const of = (a, up) => {
      const [low, high] = a.range,
        each = a._length / (high - low);
      const log = a.type === 'log' ? Math.log10 : value => value;
      return up
        ? value => a._offset + a._length - (log(value) - low) * each
        : value => a._offset + (log(value) - low) * each;
    };
    return {x: of(x, false), y: of(y, true), box: [x._offset, y._offset, x._length, y._length]};
  };

  // Sizes are observed: asking for one forces the browser to lay the whole page out.
  const sizes = new WeakMap(),
    watch = new ResizeObserver(entries => {
      for (const {target, contentRect} of entries) sizes.set(target, [contentRect.width, contentRect.height]);
    });
  function size_of(wrap) {
    if (!sizes.has(wrap)) {
      sizes.set(wrap, [wrap.clientWidth, wrap.clientHeight]);
      watch.observe(wrap);
    }
    return sizes.get(wrap);
  }

  // Of what was just given another width, and is painted before an observer could tell.
  explorer.measure = wrap => sizes.set(wrap, [wrap.clientWidth, wrap.clientHeight]);

  function context(canvas, wrap) {
    const ratio = devicePixelRatio || 1,
      [width, height] = size_of(wrap);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const c = canvas.getContext('2d');
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    return c;
  }
  explorer.context = context;

  explorer.paint = figure => {
    const scale = figure.spec && scales(figure);
    if (!scale) return;
    const c = context(figure.marks, figure.wrap),
      [left, top, width, height] = scale.box;
    c.save();
    c.beginPath();
    c.rect(left - 6, top - 6, width + 12, height + 12);
    c.clip();
    const narrowed = explorer.narrowed();
    const traces = figure.spec.traces || [];
    for (const trace of traces) if (!trace.over) stroke(c, scale, trace);
    for (const marks of figure.spec.marks || []) {
      if (narrowed && !marks.only) pass(c, scale, marks, i => !explorer.selected[i], 'rest');
      pass(c, scale, marks, i => explorer.selected[i], 'chosen');
      if (explorer.hovered >= 0) pass(c, scale, marks, i => i === explorer.hovered, 'hovered');
    }
    for (const trace of traces) if (trace.over) stroke(c, scale, trace);
    c.restore();
  };

  function pass(c, scale, marks, wanted, how) {
    const many = explorer.count_selected,
      {rest, ink} = explorer.colours(),
      models = explorer.data.trials.model;
    c.globalAlpha =
      how === 'rest'
        ? 0.5
        : how === 'hovered'
          ? 1
          : marks.kind === 'points'
            ? 0.85
            : many > 300
              ? 0.3
              : many > 60
                ? 0.5
                : 0.85;
    if (marks.kind === 'lines') {
      c.lineWidth = marks.width || (how === 'hovered' ? 3 : how === 'rest' ? 0.7 : many > 60 ? 1 : 1.6);
      c.lineJoin = 'round';
      const {start, x, y} = marks;
      for (let i = 0; i + 1 < start.length; i++) {
        if (start[i] === start[i + 1] || !wanted(i)) continue;
        const look = explorer.look(models[i]);
        c.strokeStyle = how === 'rest' ? rest : how === 'hovered' ? ink : look.colour;
        c.setLineDash(how === 'chosen' && many <= 60 && !marks.width ? look.dash : []);
        c.beginPath();
        let pen = false;
        for (let k = start[i]; k < start[i + 1]; k++) {
          const px = scale.x(x[k]),
            py = scale.y(y[k]);
          if (!Number.isFinite(px + py)) {
            pen = false;
            continue;
          }
          if (pen) c.lineTo(px, py);
          else c.moveTo(px, py);
          pen = true;
        }
        c.stroke();
        if (start[i + 1] - start[i] === 1) {
          c.fillStyle = c.strokeStyle;
          c.fillRect(scale.x(x[start[i]]) - 1.5, scale.y(y[start[i]]) - 1.5, 3, 3);
        }
      }
      c.setLineDash([]);
      return;
    }
    for (let k = 0; k < marks.x.length; k++) {
      const i = marks.trial[k];
      if (!wanted(i)) continue;
      const px = scale.x(marks.x[k]),
        py = scale.y(marks.y[k]);
      if (!Number.isFinite(px + py)) continue;
      const look = explorer.look(models[i]),
        symbol = marks.symbol || look.symbol;
      c.strokeStyle = c.fillStyle =
        how === 'rest'
          ? rest
          : how === 'hovered'
            ? ink
            : marks.ink
              ? ink
              : marks.colour
                ? marks.colour(k)
                : look.colour;
      c.lineWidth = how === 'hovered' ? 2.5 : 1.5;
      c.beginPath();
      SHAPES[symbol](c, px, py, (marks.size || SIZE) * (how === 'hovered' ? 1.5 : 1));
      if (symbol === 'x' || marks.hollow?.(k)) c.stroke();
      else c.fill();
      if (how === 'chosen' && marks.outline) {
        c.strokeStyle = explorer.colours().soft;
        c.lineWidth = 1;
        c.stroke();
      }
    }
  }

  // A plotly trace of a line, a band or markers, painted: plotly takes 100 ms to redraw one, and a brush changes several.
  function stroke(c, scale, trace) {
    const xs = trace.x.map(scale.x),
      ys = trace.y.map(value => (value === null ? NaN : scale.y(value))),
      {line = {}, marker} = trace;
    c.globalAlpha = trace.opacity ?? 1;
    c.setLineDash(explorer.dash(line.dash));
    if (trace.mode === 'markers') {
      c.strokeStyle = c.fillStyle = marker.color;
      c.lineWidth = 2;
      xs.forEach((x, k) => {
        const symbol = [].concat(marker.symbol)[marker.symbol.map ? k : 0],
          open = symbol.endsWith('-open');
        if (trace.error_x) {
          c.beginPath();
          c.moveTo(x, ys[k]);
          c.lineTo(scale.x(0), ys[k]);
          c.stroke();
        }
        c.beginPath();
        SHAPES[symbol.replace('-open', '')](c, x, ys[k], marker.size / 2);
        if (open) {
          c.save();
          c.fillStyle = explorer.colours().paper;
          c.fill();
          c.restore();
          c.stroke();
        } else c.fill();
      });
      return;
    }
    c.beginPath();
    let pen = false;
    xs.forEach((x, k) => {
      if (!Number.isFinite(x + ys[k])) {
        pen = false;
        return;
      }
      if (!pen) c.moveTo(x, ys[k]);
      else if (line.shape === 'hvh') {
        const middle = (xs[k - 1] + x) / 2;
        c.lineTo(middle, ys[k - 1]);
        c.lineTo(middle, ys[k]);
        c.lineTo(x, ys[k]);
      } else if (line.shape === 'hv') {
        c.lineTo(x, ys[k - 1]);
        c.lineTo(x, ys[k]);
      } else c.lineTo(x, ys[k]);
      pen = true;
    });
    if (trace.fill) {
      c.fillStyle = trace.fillcolor;
      c.fill();
      return c.setLineDash([]);
    }
    c.strokeStyle = line.color;
    c.lineWidth = line.width;
    c.stroke();
    c.setLineDash([]);
  }

  // What lies under the pointer: the nearest mark within 14 px, a selected one before another.
  explorer.point = (figure, event, click = false) => {
    const scale = scales(figure);
    if (!scale) return;
    const box = figure.wrap.getBoundingClientRect(),
      mx = event.clientX - box.left,
      my = event.clientY - box.top;
    let found = null,
      nearest = 14 * 14;
    for (const [number, marks] of (figure.spec.marks || []).entries()) {
      const lines = marks.kind === 'lines',
        rows = lines ? marks.start.length - 1 : marks.x.length;
      for (let row = 0; row < rows; row++) {
        const i = lines ? row : marks.trial[row];
        if (!explorer.selected[i] && explorer.narrowed() && (click || explorer.count_selected)) continue;
        for (let k = lines ? marks.start[row] : row; k < (lines ? marks.start[row + 1] : row + 1); k++) {
          const dx = scale.x(marks.x[k]) - mx,
            dy = scale.y(marks.y[k]) - my,
            away = dx * dx + dy * dy;
          if (away < nearest) {
            nearest = away;
            found = {trial: i, k, number, x: mx + dx, y: my + dy};
          }
        }
      }
    }
    if (click) {
      if (found) explorer.pin(found.trial);
      return;
    }
    for (const trace of figure.spec.traces || [])
      (trace.text || []).forEach((text, k) => {
        const dx = scale.x(trace.x[k]) - mx,
          dy = scale.y(trace.y[k]) - my,
          away = dx * dx + dy * dy;
        if (away < nearest) {
          nearest = away;
          found = {trial: -1, text, x: mx + dx, y: my + dy};
        }
      });
    explorer.hover(found ? found.trial : -1);
    figure.tip.hidden = !found;
    if (!found) return;
    figure.tip.textContent = found.text || figure.spec.tip(found);
    figure.tip.style.left = `${Math.min(Math.max(found.x, 90), box.width - 90)}px`;
    figure.tip.style.top = `${found.y}px`;
    figure.tip.classList.toggle('below', found.y < 70);
  };

  // A trace that draws nothing but a colour bar: {low, high, colour(share), title}.
  explorer.colour_bar = ({low, high, colour, title}) => ({
    mode: 'markers',
    x: [null],
    y: [null],
    showlegend: false,
    marker: {
      color: [low],
      cmin: low,
      cmax: high,
      showscale: true,
      colorscale: Array.from({length: 9}, (_, k) => [k / 8, colour(k / 8)]),
      colorbar: {tickformat: '.3~p', thickness: 12, outlinewidth: 0, title: {text: title, side: 'right'}},
    },
  });

  // The same marks as plotly's traces, for an image: the rest in grey, then each network's in its colour; with what the
  // legend says of them.
  explorer.traces = figure => {
    const traces = [],
      models = explorer.data.trials.model,
      {rest, ink, soft} = explorer.colours(),
      narrowed = explorer.narrowed(),
      named = new Map(); // what the legend says: a name, and the trace that shows its line or its mark
    const called = (name, shown) => {
      if (!named.has(name)) named.set(name, {...shown, x: [null], y: [null], name});
    };
    let hollow = false;
    for (const marks of figure.spec.marks || []) {
      const groups = new Map(),
        lines = marks.kind === 'lines';
      const add = (i, k, put) => {
        const on = explorer.selected[i];
        if (!on && marks.only) return;
        const key = JSON.stringify([on, models[i]]);
        if (!groups.has(key)) groups.set(key, {on, model: models[i], x: [], y: [], colours: [], symbols: []});
        put(groups.get(key), k);
      };
      if (lines) {
        for (let i = 0; i + 1 < marks.start.length; i++)
          if (marks.start[i] < marks.start[i + 1])
            add(i, 0, own => {
              for (let k = marks.start[i]; k < marks.start[i + 1]; k++) {
                own.x.push(marks.x[k]);
                own.y.push(Number.isFinite(marks.y[k]) ? marks.y[k] : null);
              }
              own.x.push(null);
              own.y.push(null);
            });
      } else
        for (let k = 0; k < marks.x.length; k++) {
          if (!Number.isFinite(marks.x[k] + marks.y[k])) continue;
          add(marks.trial[k], k, own => {
            const open = Boolean(marks.hollow?.(k)),
              symbol = marks.symbol || explorer.look(own.model).symbol;
            if (open && !marks.symbol) hollow = true;
            own.x.push(marks.x[k]);
            own.y.push(marks.y[k]);
            own.symbols.push(symbol === 'x' ? 'x-thin' : open ? `${symbol}-open` : symbol);
            if (own.on) own.colours.push(marks.ink ? ink : marks.colour ? marks.colour(k) : null);
          });
        }
      for (const {on, model, x, y, colours, symbols} of [...groups.values()].sort((a, b) => a.on - b.on)) {
        const look = explorer.look(model),
          colour = on ? look.colour : rest,
          each = on && colours.some(Boolean) ? colours : colour;
        const line = {
            color: colour,
            width: marks.width || 1.2,
            dash: marks.width ? 'solid' : look.dash_name,
          },
          mark = {symbol: look.symbol === 'x' ? 'x-thin' : look.symbol, size: 8};
        if (lines) called(on ? model : 'not selected', {mode: 'lines', line: {...line, width: 2.5}});
        else if (marks.symbol && on)
          called(marks.told || ENDS[marks.symbol], {
            mode: 'markers',
            marker: {...mark, symbol: symbols[0], color: ink, line: {width: 1.5, color: ink}},
          });
        else if (!marks.symbol) {
          const shown = on ? (marks.colour ? ink : look.colour) : rest;
          called(on ? model : 'not selected', {
            mode: 'markers',
            marker: {...mark, color: shown, line: {width: 1.5, color: shown}},
          });
        }
        traces.push({
          x,
          y,
          showlegend: false,
          mode: lines ? 'lines' : 'markers',
          connectgaps: false,
          opacity: !on && narrowed ? 0.5 : lines && !marks.width ? 0.6 : 0.9,
          line,
          marker: {
            color: each,
            symbol: symbols,
            size: 2 * (marks.size || SIZE),
            line: marks.outline && on ? {width: 1, color: soft} : {width: 1.5, color: each},
          },
        });
      }
    }
    if (hollow)
      called(figure.spec.hollow_told || 'hollow: stopped early', {
        mode: 'markers',
        marker: {symbol: 'circle-open', color: ink, size: 8, line: {width: 1.5}},
      });
    traces.push(...named.values());
    if (figure.spec.scale) traces.push(explorer.colour_bar(figure.spec.scale));
    return traces;
  };
}
