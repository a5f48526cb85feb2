// What is taken away: texts into the clipboard, files into the browser's folder.
import { html, useState } from '../lib/preact.mjs';
import { t } from '../words.mjs';

/** Copy is a button that copies a text, or what a function gives when it is pressed. */
export function Copy({ text, label = t('page.copy') }) {
  const [done, setDone] = useState('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === 'function' ? text() : text);
      setDone(t('page.copied'));
    } catch {
      setDone(t('page.copy-failed'));
    }
    setTimeout(() => setDone(''), 2000);
  };
  return html`<button class="copy" onClick=${copy}>${done || label}</button><span class="sr" role="status">${done}</span>`;
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
