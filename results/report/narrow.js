// A plot of rows on a phone: names of two lines at its left would leave it a third of the page. In report and explorer.
const NARROW = 520; // px
// eslint-disable-next-line no-unused-vars -- called by page.js and main.js
const fitted = (figure, width) => {
  const {yaxis, font} = figure.layout,
    height = figure.layout.height + legend_room(figure, width),
    names = yaxis?.ticktext || yaxis?.categoryarray || [];
  if (width >= NARROW || !names.some(name => name.includes('<br>')))
    return {...figure, layout: {...figure.layout, height}};
  const [low, high] = yaxis.range || [-0.6, names.length - 0.4];
  // In a line above its marks; plotly's own labels inside the axes would push the marks aside.
  const annotations = names.map((name, k) => ({
    text: name.replaceAll('<br>', ': '),
    x: 0,
    xref: 'paper',
    xanchor: 'left',
    y: yaxis.tickvals ? yaxis.tickvals[k] : k,
    yshift: 25,
    showarrow: false,
    font: {size: 11, color: yaxis.tickfont?.color || font.color},
  }));
  return {
    ...figure,
    layout: {
      ...figure.layout,
      annotations: [...(figure.layout.annotations || []), ...annotations],
      yaxis: {...yaxis, showticklabels: false, range: [low, high + 0.2]},
      height: height + 18 * names.length,
    },
  };
};
// Drawn anew where it has become narrow or wide, as on a phone that is turned; paper is seen to elsewhere.
// eslint-disable-next-line no-unused-vars -- called by page.js and main.js
const refit = (box, draw) => {
  let narrow = box.clientWidth < NARROW;
  new ResizeObserver(() => {
    if (matchMedia('print').matches || narrow === box.clientWidth < NARROW) return;
    narrow = !narrow;
    draw();
  }).observe(box);
};
