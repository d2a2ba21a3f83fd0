// The report's plots, drawn where their figures stand as JSON; `config` is plotly's.
/* global config */
offer_copies(document);
for (const box of document.querySelectorAll('.plot')) {
  const figure = JSON.parse(box.querySelector('script').textContent);
  box.replaceChildren();
  Plotly.newPlot(box, figure.data, figure.layout, config);
}
// Paper has its own width, which a plot doesn't learn in time: two beside one another, or one.
const fit = width =>
  document
    .querySelectorAll('.plot')
    .forEach(box =>
      Plotly.relayout(
        box,
        width
          ? {width: width(box.closest('.plots').children.length), autosize: false}
          : {width: null, autosize: true},
      ),
    );
addEventListener('beforeprint', () => fit(beside => (beside > 1 ? 310 : 640)));
addEventListener('afterprint', () => fit(null));
