// The focus, where what has it goes away: a button whose deed is done, a line that was
// taken back. Without this the next press of Tab would begin at the top of the page.
import { useLayoutEffect, useRef } from '../lib/preact.mjs';

/**
 * useFocusKept gives a ref for a section: when what has the focus in it goes away with a
 * rendering, the section's heading gets it, or itself: whichever has a tabindex of -1.
 */
export function useFocusKept() {
  const ref = useRef(null);
  const had = ref.current?.contains(document.activeElement);
  useLayoutEffect(() => {
    if (had && document.activeElement === document.body) (ref.current?.querySelector('h2[tabindex]') ?? ref.current)?.focus({ preventScroll: true });
  });
  return ref;
}
