// The page is complete without this: here the colours are chosen, and the charts read point by point.

for (const choice of document.querySelectorAll('input[name="theme"]')) {
  choice.addEventListener('change', () => {
    document.documentElement.style.colorScheme = choice.value;
  });
}

for (const figure of document.querySelectorAll('figure[data-chart]')) {
  const drawing = figure.querySelector('svg[tabindex]');
  const rows = [...figure.querySelectorAll('tr[data-place]')];
  if (drawing !== null && rows.length > 0) letRead(figure, drawing, rows);
}

/** Shows the row of the table that is nearest to the pointer, or that the arrow keys have come to. */
function letRead(figure, drawing, rows) {
  const readout = figure.querySelector('.readout');
  const crosshair = drawing.querySelector('.crosshair');
  const places = rows.map((row) => Number(row.dataset.place));
  const heads = [...figure.querySelectorAll('thead th')].map((head) => head.textContent);
  let current = null;

  const show = (at) => {
    current = at;
    const [label, ...values] = [...rows[at].cells].map(({ textContent }, column) => {
      if (column === 0) return textContent;
      const [name, unit = ''] = heads[column].split(', ');
      return `${name} ${textContent} ${unit}`.trim();
    });
    readout.replaceChildren(strong(label), ` ${values.join(', ')}`);
    crosshair.setAttribute('x1', places[at]);
    crosshair.setAttribute('x2', places[at]);
    crosshair.classList.add('shown');
  };

  const hide = () => {
    current = null;
    readout.replaceChildren();
    crosshair.classList.remove('shown');
  };

  drawing.addEventListener('pointermove', (event) => {
    const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
    show(nearest(places, x));
  });
  drawing.addEventListener('pointerleave', () => {
    if (document.activeElement !== drawing) hide();
  });
  drawing.addEventListener('blur', hide);
  drawing.addEventListener('keydown', (event) => {
    const last = places.length - 1;
    const next = {
      ArrowRight: Math.min(last, (current ?? -1) + 1),
      ArrowLeft: Math.max(0, (current ?? last + 1) - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === 'Escape') hide();
    if (next === undefined) return;
    event.preventDefault();
    show(next);
  });
}

function nearest(places, x) {
  return places.reduce((best, place, at) => (Math.abs(place - x) < Math.abs(places[best] - x) ? at : best), 0);
}

function strong(text) {
  const element = document.createElement('strong');
  element.textContent = text;
  return element;
}
