// A button that copies a text, and files to take away.
import { html, useState } from '../lib/preact.mjs';
import { t } from '../words.mjs';

export function Copy({ text, label = t('page.copy') }) {
  const [done, setDone] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(t('page.copied'));
    } catch {
      setDone(t('page.copy-failed'));
    }
    setTimeout(() => setDone(''), 2000);
  };
  return html`<button class="copy" onClick=${copy}>${done || label}</button>`;
}

/** download has the browser save octets or a text as a file. */
export function download(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
