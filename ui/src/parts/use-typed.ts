import { useEffect, useRef, useState } from 'react';

/** The fewest milliseconds between two that the address keeps: each may ask the server. */
const BETWEEN = 100;

/**
 * Text that somebody types and that the page's address keeps: what is typed shows at once, blanks at its ends included, and
 * the address follows without them, at once or, of many letters in a row, ten times a second. An address that changes
 * otherwise, as by going back, changes the text.
 */
export function useTyped(inAddress: string, keep: (typed: string) => void): [string, (typed: string) => void] {
  const [typed, setTyped] = useState(inAddress);
  // What the address was given and doesn't show yet: it may do so when more was typed already.
  const underway = useRef<string[]>([]);
  const shown = useRef(inAddress);
  const keptAt = useRef(-BETWEEN);
  const timer = useRef<number | undefined>(undefined);
  useEffect(() => {
    shown.current = inAddress;
    const at = underway.current.indexOf(inAddress);
    underway.current = at < 0 ? [] : underway.current.slice(at + 1);
    if (at < 0) setTyped(inAddress);
  }, [inAddress]);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const keepNow = (now: string): void => {
    const wanted = now.trim();
    if (wanted === (underway.current.at(-1) ?? shown.current)) return;
    underway.current.push(wanted);
    keptAt.current = performance.now();
    keep(wanted);
  };
  return [
    typed,
    (now) => {
      setTyped(now);
      window.clearTimeout(timer.current);
      const wait = keptAt.current + BETWEEN - performance.now();
      if (wait <= 0) keepNow(now);
      else timer.current = window.setTimeout(keepNow, wait, now);
    },
  ];
}
