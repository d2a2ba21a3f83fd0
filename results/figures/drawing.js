// A figure as images, in the page that results.figures.images opens beside plotly.js.
'use strict';

const SCALE = 2; // pixels of a PNG for one of the figure

/** Base64 of each kind that is asked for: the figure is drawn once, as SVG. */
globalThis.drawing = async (figure, {width, height}, kinds) => {
  const size = {width, height: height + legend_room(figure, width)}; // as on a page
  const svg = await Plotly.toImage(figure, {...size, format: 'svg', imageDataOnly: true});
  const bytes = new TextEncoder().encode(svg);
  const made = {svg: () => base64(bytes), png: () => pixels(base64(bytes), size)};
  return Promise.all(kinds.map(kind => made[kind]()));
};

function base64(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

async function pixels(svg, {width, height}) {
  const image = new Image(width * SCALE, height * SCALE);
  image.src = `data:image/svg+xml;base64,${svg}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * SCALE;
  canvas.height = height * SCALE;
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL('image/png').split(',')[1];
}
