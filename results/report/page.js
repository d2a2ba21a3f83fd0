// The report's plots, drawn where their figures stand as JSON; `config` is plotly's.
/* global config */
offer_copies(document);
for (const box of document.querySelectorAll('.plot')) {
  const figure = fitted(JSON.parse(box.querySelector('script').textContent), box.clientWidth);
  box.replaceChildren();
  Plotly.newPlot(box, figure.data, figure.layout, config);
}
// Paper has its own width, which a plot doesn't learn in time: two beside one another, or one; a diagram's words need the
// whole of it.
const TALL = 480; // px of a diagram
const fit = printing =>
  document.querySelectorAll('.plot').forEach(box => {
    const alone = box.clientHeight > TALL || box.closest('.plots').children.length === 1;
    box.parentElement.classList.toggle('alone', printing && alone);
    Plotly.relayout(
      box,
      printing ? {width: alone ? 640 : 310, autosize: false} : {width: null, autosize: true},
    );
  });
addEventListener('beforeprint', () => fit(true));
addEventListener('afterprint', () => fit(false));
