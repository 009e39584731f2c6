import { useEffect, useRef, useState } from 'react';

/** Milliseconds after the last letter. */
const PAUSE = 150;

/**
 * Text that somebody types and that the page's address keeps: what is typed shows at once, blanks at its ends included, and
 * the address follows without them when they pause. An address that changes otherwise, as by going back, changes the text.
 */
export function useTyped(inAddress: string, keep: (typed: string) => void): [string, (typed: string) => void] {
  const [typed, setTyped] = useState(inAddress);
  const kept = useRef(inAddress);
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (inAddress === kept.current) return;
    kept.current = inAddress;
    setTyped(inAddress);
  }, [inAddress]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  return [
    typed,
    (now) => {
      setTyped(now);
      window.clearTimeout(timer.current);
      timer.current = window.setTimeout(() => {
        kept.current = now.trim();
        keep(kept.current);
      }, PAUSE);
    },
  ];
}
