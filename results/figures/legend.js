// Names that stand in more rows than a figure has room for: plotly gives them half of it and a scrollbar.
// In report, explorer and the pictures that are saved of either.
const ROWS = 3, // of a legend, for which there is room
  [ROW, LETTER, SIGN] = [20, 7.2, 58]; // px: a row, a letter of a name, the line and the gap beside it
// eslint-disable-next-line no-unused-vars -- called by narrow.js, page.js and drawing.js
const legend_room = (figure, width) => {
  const names = figure.data.filter(one => one.showlegend !== false && one.name).map(one => one.name.length),
    column = LETTER * Math.max(...names) + SIGN,
    rows = Math.ceil(names.length / Math.max(1, Math.floor(width / column)));
  return figure.layout.showlegend === false || !names.length ? 0 : ROW * Math.max(0, rows - ROWS);
};
