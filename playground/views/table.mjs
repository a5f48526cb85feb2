// The graphs as a table: each point with its time, to read, to sort, to copy.
import { html, useMemo, useState } from '../lib/preact.mjs';
import { cursor, run, seek, version } from '../store.mjs';
import { t } from '../words.mjs';
import { write } from './chart.mjs';
import { Sender, useGraphs, useSender } from './graphs.mjs';
import { Rows } from './rows.mjs';
import { rowAt } from './series.mjs';

/** Table is the panel. */
export function Table() {
  version.value;
  const [id, setId] = useState('sequence');
  const line = run.value?.line;
  const { all, one } = useSender(line);
  const shown = useGraphs(line, one);
  const graph = shown.find((candidate) => candidate.id === id);
  const rows = useMemo(() => (graph ? rowsOf(graph) : []), [graph]);
  return html`<section class="sheet instrument table-view" aria-labelledby="h-table"><h2 id="h-table">${t('page.table')}</h2>
    ${!graph ? html`<p class="quiet">${t('views.nothing-yet')}</p>` : html`
    <div class="row tools"><${Sender} all=${all} one=${one} />
      <label>${t('views.graphs.which')} <select value=${id} onChange=${(e) => setId(e.currentTarget.value)}>
        ${shown.map((candidate) => html`<option key=${candidate.id} value=${candidate.id}>${t(`views.graph.${candidate.id}`)}</option>`)}</select></label></div>
    <${Rows} key=${id} caption=${t(`views.graph.${id}`)} at=${rowAt(graph, cursor.value)} onRow=${(k) => seek(graph.items[k])}
      heads=${[{ id: 'time_ns', text: t('views.table.time'), show: (ns) => `${(ns / 1e9).toFixed(6)} s` }, ...graph.series.map((series) => ({ id: series.id, text: t(`views.series.${series.id}`), show: (v) => write(graph.unit, v) }))]}
      rows=${rows} />`}
  </section>`;
}

// rowsOf turns the columns of a graph into rows.
const rowsOf = (graph) => graph.items.map((_, k) => graph.data.map((column) => column[k]));
