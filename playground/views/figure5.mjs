// Where the states and edges of RFC 9293's Figure 5 stand on the drawing. Which
// edges there are is the engine's to say (the catalogue has its table); this file
// knows only where each is drawn best. An edge that it does not know gets a
// straight line, and the tests fail, so that the table cannot outgrow the drawing.

// The drawing is this large, in units of the SVG; phones show it almost one to one.
export const WIDTH = 468;
export const HEIGHT = 560;
export const BOX = { w: 108, h: 32 };

// Figure 5 has CLOSED twice, at the beginning and at the end; so has the drawing.
const END = 'CLOSED at the end';

const LEFT = 74;
const MIDDLE = 230;
const RIGHT = 386;

export const PLACES = {
  'CLOSED': [MIDDLE, 26],
  'LISTEN': [MIDDLE, 102],
  'SYN-RECEIVED': [LEFT, 184],
  'SYN-SENT': [RIGHT, 184],
  'ESTABLISHED': [MIDDLE, 262],
  'FIN-WAIT-1': [LEFT, 352],
  'CLOSE-WAIT': [RIGHT, 352],
  'FIN-WAIT-2': [LEFT, 440],
  'CLOSING': [MIDDLE, 440],
  'LAST-ACK': [RIGHT, 440],
  'TIME-WAIT': [MIDDLE, 530],
  [END]: [RIGHT, 530],
};

// STATES are the eleven, in the order in which a screen reader meets them.
export const STATES = Object.keys(PLACES).filter((name) => name !== END);

// A way is an SVG path, where its label stands, and how the label is aligned.
// Labels have two lines, as in the figure: what comes, and what goes out for it.
const WAYS = {
  'CLOSED>LISTEN': ['M222 42 V86', 216, 60, 'end'],
  'LISTEN>CLOSED': ['M240 86 V42', 246, 60, 'start'],
  'CLOSED>SYN-SENT': ['M284 34 H390 Q406 34 406 50 V168', 400, 70, 'end'],
  'SYN-SENT>CLOSED': ['M426 168 V34 Q426 18 410 18 H284', 431, 104, 'start', 'rare'],
  'LISTEN>SYN-RECEIVED': ['M176 102 H90 Q74 102 74 118 V168', 80, 128, 'start'],
  'SYN-RECEIVED>LISTEN': ['M46 168 V104 Q46 88 62 88 H176', 50, 80, 'start', 'rare'],
  'LISTEN>SYN-SENT': ['M284 102 H364 Q380 102 380 118 V168', 374, 134, 'end', 'rare'],
  'SYN-SENT>SYN-RECEIVED': ['M332 184 H128', 230, 176, 'middle'],
  'SYN-RECEIVED>ESTABLISHED': ['M108 200 V246 Q108 262 124 262 H176', 114, 228, 'start'],
  'SYN-SENT>ESTABLISHED': ['M372 200 V246 Q372 262 356 262 H284', 366, 228, 'end'],
  'SYN-RECEIVED>FIN-WAIT-1': ['M40 200 V336', 46, 258, 'start'],
  'SYN-RECEIVED>CLOSE-WAIT': ['M92 200 V286 Q92 306 112 306 H384 Q404 306 404 322 V336', 334, 290, 'middle', 'rare'],
  'ESTABLISHED>FIN-WAIT-1': ['M206 278 V336 Q206 352 190 352 H128', 200, 330, 'end'],
  'ESTABLISHED>CLOSE-WAIT': ['M254 278 V336 Q254 352 270 352 H332', 260, 330, 'start'],
  'FIN-WAIT-1>FIN-WAIT-2': ['M50 368 V424', 56, 392, 'start'],
  'FIN-WAIT-1>CLOSING': ['M128 360 H214 Q230 360 230 376 V424', 236, 392, 'start'],
  'FIN-WAIT-1>TIME-WAIT': ['M112 368 V384 Q112 396 124 396 H136 Q152 396 152 412 V504 Q152 520 168 520 H176', 158, 478, 'start'],
  'FIN-WAIT-2>TIME-WAIT': ['M74 456 V522 Q74 538 90 538 H176', 80, 496, 'start'],
  'CLOSING>TIME-WAIT': ['M230 456 V514', 236, 488, 'start'],
  'CLOSE-WAIT>LAST-ACK': ['M386 368 V424', 380, 392, 'end'],
  'LAST-ACK>CLOSED': ['M386 456 V514', 380, 482, 'end', END],
  'TIME-WAIT>CLOSED': ['M284 530 H332', 308, 514, 'middle', END],
};

// Note 3 of the figure: resets and aborts lead from almost anywhere to CLOSED. Lines
// for them all would bury the rest; each is a stub that ends in a cross.
const STUBS = {
  'SYN-RECEIVED': 'M20 184 H8',
  'ESTABLISHED': 'M284 274 H300',
  'FIN-WAIT-1': 'M20 352 H8',
  'FIN-WAIT-2': 'M20 440 H8',
  'CLOSE-WAIT': 'M440 352 H452',
  'CLOSING': 'M284 440 H298',
};

// key names an edge.
export const key = (from, to) => `${from}>${to}`;

// wayOf says how the edge is drawn: d, the label's x, y and anchor, whether it is a
// stub to CLOSED, and whether it is one that seldom is taken.
export function wayOf(from, to) {
  const way = WAYS[key(from, to)];
  if (way) {
    const [d, x, y, anchor, kind] = way;
    return { d, x, y, anchor, stub: false, rare: kind === 'rare', end: kind === END };
  }
  if (to === 'CLOSED' && STUBS[from]) {
    return { d: STUBS[from], stub: true, rare: true, end: false };
  }
  const [x1, y1] = PLACES[from] ?? [0, 0];
  const [x2, y2] = PLACES[to] ?? [0, 0];
  return { d: `M${x1} ${y1} L${x2} ${y2}`, x: (x1 + x2) / 2, y: (y1 + y2) / 2, anchor: 'middle', stub: false, rare: true, end: false, unknown: true };
}

// endOf is where a path of wayOf ends, for the cross of a stub.
export function endOf(d) {
  const [, x, y, dx] = /^M(\d+) (\d+) H(\d+)$/.exec(d) ?? [];
  return x === undefined ? undefined : { x: Number(dx), y: Number(y) };
}

// boxes are the rectangles to draw: each state once, and CLOSED again at the end.
export function boxes() {
  return Object.entries(PLACES).map(([name, [x, y]]) => ({
    id: name, name: name === END ? 'CLOSED' : name, last: name === END,
    x: x - BOX.w / 2, y: y - BOX.h / 2, cx: x, cy: y,
  }));
}

// litBox is the box that stands for the state: CLOSED after a connection is the
// second one.
export const litBox = (state, over) => (state === 'CLOSED' && over ? END : state);
