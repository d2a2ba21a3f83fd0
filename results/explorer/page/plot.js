// A figure: plotly's axes, zoom and lasso, with the many marks of the trials on a canvas above them. Redrawing plotly's
// own marks costs 600 ms for 1,000 curves, the canvas 20; an image is made of true plotly traces, so SVG stays SVG.
{
  const {element} = explorer;
  const LEAST_WIDE = 640, // px of an image, so that its legend fits beside itself
    [TITLE, HEAD] = [34, 72]; // px of an image's title, and of it with one row of the legend
  const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
  const CONFIG = {
    showSendToCloud: false,
    plotlyServerURL: '',
    displaylogo: false,
    responsive: true,
    scrollZoom: false,
    displayModeBar: false,
    doubleClick: 'reset',
  };
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const dark = matchMedia('(prefers-color-scheme: dark)');
  let printing = false;
  explorer.night = () => dark.matches && !printing;
  const NAMELESS = ['#7D7D7D', 'x', 'solid', '#A8A8A8']; // a trial whose row names no network
  const DASH = {
    solid: [],
    dash: [7, 4],
    dot: [2, 3],
    dashdot: [7, 3, 2, 3],
    longdash: [12, 4],
    longdashdot: [12, 3, 2, 3],
  };

  explorer.dash = name => DASH[name] || [];
  let colours = {};
  const read_colours = () => {
    colours = {
      paper: style('--paper'),
      ink: style('--ink'),
      soft: style('--soft'),
      rest: style('--rest'),
      grid: style('--grid'),
    };
  };
  explorer.colours = () => (colours.ink || read_colours(), colours);
  let looks = {data: null, of: new Map()}; // asked for each mark that is painted
  explorer.look = model => {
    if (looks.data !== explorer.data) looks = {data: explorer.data, of: new Map()};
    if (!looks.of.has(model)) {
      const [colour, symbol, dash, on_black] = explorer.data.styles[model] || NAMELESS;
      looks.of.set(model, {
        colour: explorer.night() ? on_black : colour,
        symbol,
        dash: DASH[dash] || [],
        dash_name: dash,
      });
    }
    return looks.of.get(model);
  };

  // Plotly is 4.8 MB: the app fetches it after the first picture, an export holds it.
  let fetched = null;
  explorer.plotly = () =>
    (fetched ??= window.Plotly
      ? Promise.resolve(window.Plotly)
      : new Promise((done, fail) => {
          if (!explorer.live) return addEventListener('load', () => done(window.Plotly));
          document.head.append(
            Object.assign(document.createElement('script'), {
              src: 'plotly.js',
              onload: () => done(window.Plotly),
              onerror: () => fail(new Error('plotly.js')),
            }),
          );
        }));

  const drawn = new WeakSet(); // figures, of which a slice may be gone
  const themed = () => {
    looks.data = null;
    read_colours();
    if (explorer.data) for (const view of explorer.views) explorer.refresh(view.id);
    explorer.on_theme();
  };
  dark.addEventListener('change', themed);
  // Paper is white: what a dark page drew in its own colours is drawn in those of the light one.
  explorer.on_paper = on => {
    if (!dark.matches) return;
    printing = on;
    document.documentElement.classList.toggle('on-paper', on);
    themed();
  };

  // 1, 2 and 5 of each decade in sight, or the decades alone where there are many; some beyond, for a zoom out.
  const log_ticks = (range, percent) => {
    const low = Math.floor(Math.log10(range[0])) - 1,
      high = Math.ceil(Math.log10(range[1])) + 1,
      at = [];
    for (let d = low; d <= high; d++)
      for (const m of high - low > 5 ? [1] : [1, 2, 5]) at.push(Number(`${m}e${d}`));
    const digits = value => (value < 0.01 ? 1 : 0);
    const told = value => (percent ? explorer.percent(value, digits(value)) : explorer.large(value));
    return {tickvals: at, ticktext: at.map(told)};
  };
  // The same with what stands at the foot for 0.
  explorer.log_ticks = (range, foot) => {
    const {tickvals} = log_ticks(range),
      at = tickvals.filter(value => value > 1.2 * foot.at);
    return {at: [foot.at, ...at], text: [foot.label, ...at.map(explorer.large)]};
  };
  explorer.whole = (low, high) => {
    const rough = (high - low) / 8;
    for (let size = 1; ; size *= 10) for (const m of [1, 2, 5]) if (m * size >= rough) return m * size;
  };
  const axis = told => ({
    gridcolor: explorer.colours().grid,
    zeroline: false,
    separatethousands: true,
    automargin: true,
    ticks: '',
    ticklabeloverflow: 'allow',
    color: explorer.colours().soft,
    title: {text: told.title, standoff: 8, font: {size: 13}},
    type: told.log ? 'log' : 'linear',
    range: told.range && (told.log ? told.range.map(Math.log10) : told.range),
    autorange: !told.range,
    ...(told.percent ? {tickformat: '.3~p'} : {}),
    ...(told.ticks ? {tickvals: told.ticks.at, ticktext: told.ticks.text} : {}),
    ...(told.whole ? {tickformat: ',d', dtick: told.whole, tick0: 0} : {}),
    ...(told.log && !told.ticks ? log_ticks(told.range, told.percent) : {}),
    fixedrange: Boolean(told.fixed),
  });
  explorer.layout = (spec, height) => ({
    height,
    margin: {l: 8, r: 12, t: 10, b: 8},
    paper_bgcolor: 'rgba(0,0,0,0)',
    plot_bgcolor: 'rgba(0,0,0,0)',
    font: {family: FONT, size: 13, color: explorer.colours().soft},
    showlegend: false,
    hovermode: 'closest',
    dragmode: spec.lasso ? 'lasso' : 'zoom',
    uirevision: spec.revision || 'kept',
    xaxis: axis(spec.x),
    yaxis: axis(spec.y),
    shapes: (spec.lines || []).map(line => ({
      type: 'line',
      xref: line.x !== undefined ? 'x' : 'paper',
      yref: line.y !== undefined ? 'y' : 'paper',
      x0: line.x ?? 0,
      x1: line.x ?? 1,
      y0: line.y ?? 0,
      y1: line.y ?? 1,
      layer: 'below',
      line: {color: explorer.colours().soft, width: 1, dash: 'dot'},
    })),
    hoverlabel: {font: {family: FONT, size: 13}},
    newselection: {line: {color: explorer.colours().ink, width: 1}},
  });

  // A figure with its heading, sentence, buttons and table. `table` gives {columns, rows} when asked.
  explorer.figure = (parent, {name, title, height = 340, controls = []}) => {
    const summary = element('p', {class: 'summary', id: `${name}-summary`});
    const plot = element('div', {class: 'axes'}),
      marks = element('canvas'),
      tip = element('div', {class: 'tip', hidden: true});
    const wrap = element(
      'div',
      {
        class: 'drawing',
        role: 'img',
        'aria-label': title,
        'aria-describedby': summary.id,
        style: `height: ${height}px`,
      },
      plot,
      marks,
      tip,
    );
    const shown = element('div', {class: 'scroll', tabindex: 0});
    const tools = element('div', {class: 'tools'});
    const root = element(
      'figure',
      {id: `figure-${name}`},
      element('h3', {}, title),
      controls.length ? element('div', {class: 'controls'}, controls) : null,
      summary,
      wrap,
      tools,
    );
    parent.append(root);
    const figure = {root, name, title, wrap, plot, marks, tip, spec: null, drawing: Promise.resolve()};
    const details = element(
      'details',
      {
        ontoggle: () => {
          if (details.open) fill();
        },
      },
      element('summary', {}, 'Table'),
      shown,
    );
    const fill = () => shown.replaceChildren(explorer.plain_table(figure.spec.table()));
    tools.append(
      details,
      element(
        'span',
        {class: 'buttons'},
        explorer.saver('CSV', title, () => explorer.save_csv(name, figure.spec.table())),
        explorer.saver('SVG', title, () => explorer.save_image(figure, 'svg')),
        explorer.saver('PNG', title, () => explorer.save_image(figure, 'png')),
      ),
    );

    // What is drawn; plotly redraws its axes only when they changed.
    figure.draw = spec => {
      figure.spec = spec;
      summary.textContent = spec.summary;
      wrap.hidden = tools.hidden = Boolean(spec.empty);
      if (spec.empty) return;
      if (details.open) fill();
      const axes = JSON.stringify([spec.x, spec.y, spec.lines, spec.lasso ? 1 : 0, explorer.night()]);
      if (axes === figure.axes) return explorer.paint(figure);
      figure.axes = axes;
      figure.drawing = explorer
        .plotly()
        .then(Plotly =>
          Plotly.react(
            plot,
            [{x: [null], y: [null], mode: 'markers', hoverinfo: 'skip'}],
            explorer.layout(spec, height),
            CONFIG,
          ),
        )
        .then(() => {
          if (!drawn.has(figure)) {
            drawn.add(figure);
            listen(figure);
          }
          explorer.paint(figure);
        });
    };
    return figure;
  };

  function listen(figure) {
    const {plot, wrap} = figure;
    for (const name of ['plotly_relayout', 'plotly_relayouting', 'plotly_afterplot'])
      plot.on(name, () => explorer.paint(figure));
    new ResizeObserver(() => explorer.paint(figure)).observe(wrap);
    plot.on('plotly_selected', event => {
      if (!event || !figure.spec.lasso) return;
      const inside = event.lassoPoints
        ? polygon(event.lassoPoints.x, event.lassoPoints.y, figure.spec)
        : event.range
          ? (x, y) => between(x, event.range.x) && between(y, event.range.y)
          : null;
      if (inside) figure.spec.lasso(inside);
      figure.Plotly ??= window.Plotly;
      window.Plotly.relayout(plot, {selections: []});
    });
    let waiting = false;
    plot.addEventListener('pointermove', event => {
      if (waiting || event.pointerType === 'touch') return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        explorer.point(figure, event);
      });
    });
    plot.addEventListener('pointerleave', () => {
      figure.tip.hidden = true;
      explorer.hover(-1);
    });
    plot.addEventListener('click', event => explorer.point(figure, event, true));
  }
  const between = (value, [a, b]) => value >= Math.min(a, b) && value <= Math.max(a, b);
  function polygon(xs, ys, spec) {
    const flat = (value, log) => (log ? Math.log10(value) : value);
    const px = xs.map(x => flat(x, spec.x.log)),
      py = ys.map(y => flat(y, spec.y.log));
    return (x, y) => {
      const a = flat(x, spec.x.log),
        b = flat(y, spec.y.log);
      let inside = false;
      for (let i = 0, j = px.length - 1; i < px.length; j = i++)
        if (py[i] > b !== py[j] > b && a < ((px[j] - px[i]) * (b - py[i])) / (py[j] - py[i]) + px[i])
          inside = !inside;
      return inside;
    };
  }

  explorer.download = (name, content, type) => {
    const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], {type}));
    const link = element('a', {href: url, download: name});
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  };
  const quoted = value => {
    const text = value === null || value === undefined || Number.isNaN(value) ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  explorer.csv = ({columns, rows}) =>
    [columns.map(column => column.name), ...rows].map(row => row.map(quoted).join(',')).join('\n') + '\n';
  explorer.save_csv = (name, table) => explorer.download(`${name}.csv`, explorer.csv(table), 'text/csv');
  explorer.plain_table = ({columns, rows}) => {
    const most = 500,
      show = (column, value) =>
        column.show
          ? column.show(value)
          : typeof value === 'number'
            ? explorer.number(value)
            : (value ?? '–');
    const body = rows.slice(0, most).map(row =>
      element(
        'tr',
        {},
        row.map((value, k) =>
          element('td', {class: typeof value === 'number' ? '' : 'word'}, show(columns[k], value)),
        ),
      ),
    );
    const more =
      rows.length > most
        ? element(
            'p',
            {class: 'quiet'},
            `The first ${most} of ${explorer.count(rows.length)} rows; the CSV has all.`,
          )
        : '';
    return element(
      'div',
      {},
      element(
        'table',
        {},
        element(
          'thead',
          {},
          element(
            'tr',
            {},
            columns.map((column, k) =>
              element(
                'th',
                {scope: 'col', class: typeof rows[0]?.[k] === 'number' ? '' : 'word'},
                column.label || column.name,
              ),
            ),
          ),
        ),
        element('tbody', {}, body),
      ),
      more,
    );
  };
  // What lies over the marks is the last of an image's traces.
  const layered = (traces, marks) => [
    ...traces.filter(trace => !trace.over),
    ...marks,
    ...traces.filter(trace => trace.over),
  ];
  explorer.save_image = async (figure, format) => {
    const Plotly = await explorer.plotly(),
      box = figure.wrap.getBoundingClientRect(),
      spec = figure.spec;
    const layout = spec.image ? null : explorer.layout(spec, box.height),
      now = figure.plot._fullLayout;
    if (now && layout)
      for (const name of ['xaxis', 'yaxis'])
        Object.assign(layout[name], {range: now[name].range.slice(), autorange: false});
    const image = spec.image
      ? spec.image()
      : {data: layered(spec.traces || [], explorer.traces(figure)), layout};
    for (const trace of image.data)
      if (trace.fill) Object.assign(trace, {showlegend: false});
      else if (trace.mode === 'lines' && trace.name === undefined) trace.showlegend = false;
    const wide = Math.max(box.width, LEAST_WIDE);
    const words = [figure.title, spec.caption].filter(Boolean).join(', ').replaceAll('<', '&lt;');
    image.layout = {
      ...image.layout,
      paper_bgcolor: style('--paper'),
      showlegend: true,
      legend: {
        orientation: 'h',
        x: 0,
        xanchor: 'left',
        yref: 'container',
        y: 1 - TITLE / (box.height + HEAD),
        yanchor: 'top',
        itemsizing: 'constant',
      },
      title: {
        text: words,
        font: {size: 14, color: style('--ink')},
        x: 0.01,
        xanchor: 'left',
        yref: 'container',
        y: 0.985,
        yanchor: 'top',
      },
      margin: {...image.layout.margin, t: HEAD},
      width: wide,
      height: box.height + HEAD,
    };
    const url = await Plotly.toImage(image, {
      format,
      width: wide,
      height: box.height + HEAD,
      scale: format === 'png' ? 2 : 1,
    });
    const content = await (await fetch(url)).blob();
    explorer.download(`${figure.name}.${format}`, content);
  };
}
