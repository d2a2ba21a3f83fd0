// The report's plots, drawn where their figures stand as JSON; `config` is plotly's.
/* global config */
offer_copies(document);
for (const box of document.querySelectorAll('.plot')) {
  const source = box.querySelector('script').textContent;
  const draw = () => {
    const figure = fitted(JSON.parse(source), box.clientWidth);
    // Without its legend's room. A plot's own layout has none any more once the window has changed.
    box.dataset.height = figure.layout.height - legend_room(figure, box.clientWidth);
    Plotly.react(box, figure.data, figure.layout, config);
  };
  box.replaceChildren();
  draw();
  refit(box, draw);
}
// Paper has its own width, which a plot doesn't learn in time: two beside one another, or one; a diagram's words need the
// whole of it. Four curves are low, so that two figures of them find room on a page.
const TALL = 480, // px of a diagram
  LOW = 190;
const named = plot => plot.data.filter(trace => trace.showlegend !== false).length;
const fit = printing =>
  document.querySelectorAll('.plot').forEach(box => {
    const beside = box.closest('.plots'),
      tall = width => Number(box.dataset.height) + legend_room(box, width),
      alone = tall(box.clientWidth) > TALL || beside.children.length === 1,
      low = printing && !beside.matches('.thirds') && beside.children.length > 3 && named(box) < 4,
      wide = alone ? 640 : 310,
      height = tall(printing ? wide : box.clientWidth);
    box.parentElement.classList.toggle('alone', printing && alone);
    Plotly.relayout(
      box,
      printing
        ? {width: wide, height: low ? LOW : height, autosize: false}
        : {width: null, height, autosize: true},
    );
  });
addEventListener('beforeprint', () => fit(true));
addEventListener('afterprint', () => fit(false));
