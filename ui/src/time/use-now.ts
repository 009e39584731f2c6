import { useEffect, useState } from 'react';
import { serverNow } from './server-clock.js';

/** Now, told anew as often as is said. @param everyMs null: never */
export function useNow(everyMs: number | null): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    if (everyMs === null) return;
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
