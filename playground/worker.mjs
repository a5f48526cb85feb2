// The engine's side: it runs in a Worker, so that a run that never ends does not take
// the page with it. engine.mjs talks with it and watches it.

let kit = null;
const runs = new Map(); // by key: {key, make, run, text, extra, quiet, sent, chunk}
const queue = []; // those of them that are not at their end
const patience = 10; // ms that a chunk should take, so that pings are answered
const most = 400_000; // items of one timeline

const operations = {
  // begin loads the module: from its address, with progress, or as compiled before.
  async begin({ module, address }) {
    const { load } = await import('./wasm/tcpkit.mjs');
    if (!module) {
      const response = await fetch(address);
      if (!response.ok) throw new Error((await response.text()).trim() || response.statusText);
      module = await WebAssembly.compileStreaming(counted(response));
    }
    postMessage({ say: 'starting' });
    kit = await load(module);
    return { module };
  },

  open({ key, make, text, extra, files, quiet }) {
    operations.close({ key });
    for (const { name, octets } of files) kit.file(name, octets);
    const run = kit.run(text, extra.join('\n'));
    const entry = { key, make, run, text, extra, quiet, sent: 0, chunk: 8 };
    runs.set(key, entry);
    postMessage({ say: 'header', key, make, quiet, header: run.head() });
    queue.push(entry);
    proceed();
  },

  close({ key }) {
    runs.get(key)?.run.free();
    runs.delete(key);
  },

  packet: ({ key, args: [p] }) => of(key).packet(p),
  pcapng: ({ key, args: [host] }) => of(key).pcapng(host),
  // record is what "tcpkit sim run --record" writes, and "tcpkit trace" reads. Of a long
  // run it takes seconds, in which pings are answered.
  async record({ key }) {
    const run = of(key);
    const { text, extra } = runs.get(key);
    const head = run.head();
    const packets = [];
    const items = [];
    for (let from = 0; from < run.length; from += 500) {
      const some = run.itemsText(from, from + 500);
      items.push(some.slice(1, -1));
      for (const { k, p, t, h } of JSON.parse(some)) if (k === 'send') packets.push({ p, t, h, octets: btoa(String.fromCharCode(...run.packet(p))) });
      await breath();
    }
    const before = JSON.stringify({ tcpkit_trace: 1, scenario: head.scenario, text, extra, hash: run.hash(), packets });
    return `${before.slice(0, -1)},"timeline":${JSON.stringify(head).slice(0, -1)},"items":[${items.join(',')}]}}\n`;
  },

  // seek goes to a step, measures how long that took, and says what the engine is then.
  seek({ key, args: [step] }) {
    const run = of(key);
    const from = performance.now();
    run.seek(step);
    const ms = performance.now() - from;
    const found = { step: run.at, ms, fingerprint: run.fingerprint(), hash: run.hash() };
    run.seek(run.steps);
    return found;
  },

  ping() {},
};

function of(key) {
  const entry = runs.get(key);
  if (!entry) throw new Error('this run is not there any more');
  return entry.run;
}

// counted tells how much of a response has come.
function counted(response) {
  const total = Number(response.headers.get('Content-Length')) || 0;
  let done = 0;
  const count = new TransformStream({
    transform(chunk, controller) {
      done += chunk.length;
      postMessage({ say: 'fetching', done, total });
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(count), { headers: { 'Content-Type': 'application/wasm' } });
}

// Between two chunks of a run the messages that came are read: a channel's message
// comes after them, and sooner than a timer.
const turn = new MessageChannel();
turn.port1.onmessage = chunk;
let waiting = false;

function proceed() {
  if (waiting || queue.length === 0) return;
  waiting = true;
  turn.port2.postMessage(0);
}

function chunk() {
  waiting = false;
  const entry = queue.shift();
  if (runs.get(entry.key) === entry) { // it was not closed meanwhile
    postMessage({ say: 'working', key: entry.key });
    try {
      if (advance(entry)) queue.push(entry);
    } catch (error) {
      postMessage({ say: 'failed', key: entry.key, make: entry.make, error: told(error) });
    }
    postMessage({ say: 'working', key: 0 });
  }
  proceed();
}

// advance makes a few steps; it returns whether there is more to do.
function advance(entry) {
  const { key, make, run, quiet } = entry;
  const from = performance.now();
  run.step(entry.chunk);
  const took = performance.now() - from;
  entry.chunk = Math.max(1, Math.min(4096, took < patience / 2 ? entry.chunk * 2 : took > patience ? entry.chunk >> 1 : entry.chunk));
  // The page looks at the whole timeline whenever some of it comes: so the first things
  // come at once, and then each time twice as many as it has. It looks at each one and
  // a half times so; with half as many each time it would be three times.
  const due = run.ended || run.length > entry.sent * 3;
  if (!quiet && due && run.length > entry.sent) {
    // As octets: what a page parses itself, no one need copy object by object.
    const json = run.itemsOctets(entry.sent);
    postMessage({ say: 'items', key, make, json }, [json.buffer]);
    entry.sent = run.length;
  }
  if (run.length > most) throw new Error(`the run is too long to show: more than ${most} things happen`);
  if (!run.ended) return true;
  postMessage({ say: 'ended', key, make, quiet, hash: run.hash(), checks: run.check(), steps: run.steps });
  return false;
}

// breath lets the messages that came be read.
function breath() {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(0);
  });
}

// A module that has trapped, or has ended itself, is not to be trusted any more.
function told(error) {
  return { message: String(error?.message ?? error), dead: error instanceof WebAssembly.RuntimeError || Boolean(error?.ended) };
}

onmessage = async ({ data }) => {
  try {
    const value = await operations[data.op](data);
    postMessage({ say: 'answer', id: data.id, value });
  } catch (error) {
    postMessage({ say: 'answer', id: data.id, error: told(error) });
  }
};
