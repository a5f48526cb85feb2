// A table of many rows: sorted by a press on a head, in pages, copied as CSV.
import { html, useMemo, useState } from '../lib/preact.mjs';
import { t } from '../words.mjs';
import { Copy } from './copy.mjs';
import { csv } from './series.mjs';

const page = 100;

/**
 * Rows shows rows of cells.
 * @param {{caption: string, heads: {id: string, text: string, show?: (v: any) => string}[], rows: any[][], at?: number, onRow?: (k: number) => void}} props
 *   at is the row of the cursor; onRow is told when a row is chosen.
 */
export function Rows({ caption, heads, rows, at = -1, onRow }) {
  const [sort, setSort] = useState({ column: 0, down: false });
  const [from, setFrom] = useState(null); // null: the page of the cursor
  const order = useMemo(() => sorted(rows, sort), [rows, sort]);
  const here = order.indexOf(at);
  const first = Math.max(0, Math.min(from ?? Math.floor(Math.max(0, here) / page) * page, Math.floor(Math.max(0, rows.length - 1) / page) * page));
  const press = (column) => {
    setSort({ column, down: sort.column === column && !sort.down });
    setFrom(0);
  };
  return html`<div class="table">
    <div class="tools">
      <${Copy} label=${t('views.table.copy')} text=${() => csv(heads.map((head) => head.id), rows)} />
      ${rows.length > page && html`<span class="pages">
        <button type="button" disabled=${first === 0} onClick=${() => setFrom(first - page)} aria-label=${t('views.table.before')}>←</button>
        ${t('views.table.rows', { from: first + 1, to: Math.min(first + page, rows.length), all: rows.length })}
        <button type="button" disabled=${first + page >= rows.length} onClick=${() => setFrom(first + page)} aria-label=${t('views.table.next')}>→</button></span>`}
    </div>
    <div class="scroll" tabindex="0" role="region" aria-label=${caption}><table><caption class="sr">${caption}</caption>
      <thead><tr>${heads.map((head, k) => html`<th key=${head.id} scope="col" aria-sort=${sort.column !== k ? 'none' : sort.down ? 'descending' : 'ascending'}>
        <button type="button" class="link" onClick=${() => press(k)}>${head.text} <span aria-hidden="true">${sort.column !== k ? '' : sort.down ? '▾' : '▴'}</span></button></th>`)}</tr></thead>
      <tbody>${order.slice(first, first + page).map((k) => html`<tr key=${k} class=${k === at ? 'latest' : ''} aria-current=${k === at ? 'true' : undefined}>
        ${rows[k].map((v, c) => (c === 0
          ? html`<th scope="row">${onRow ? html`<button type="button" class="link" onClick=${() => onRow(k)}>${write(heads[c], v)}</button>` : write(heads[c], v)}</th>`
          : html`<td>${write(heads[c], v)}</td>`))}</tr>`)}</tbody></table></div>
  </div>`;
}

const write = (head, v) => (v === null || v === undefined ? '' : head.show ? head.show(v) : String(v));

/** sorted gives the order of rows by a column; rows without a value come last. */
function sorted(rows, { column, down }) {
  const order = rows.map((_, k) => k);
  if (column === 0 && !down) return order;
  return order.sort((x, y) => {
    const a = rows[x][column];
    const b = rows[y][column];
    if (a === b) return x - y;
    if (a === null || a === undefined) return 1;
    if (b === null || b === undefined) return -1;
    return (a < b ? -1 : 1) * (down ? -1 : 1);
  });
}
