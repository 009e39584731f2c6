import { useEffect, useState, type ReactNode } from 'react';
import { useNavigate } from '@tanstack/react-router';
import { Dialog } from '../parts/dialog.js';
import { text } from '../text/text.js';
import { PLACES } from './navigation.js';

/** Milliseconds in which the second key of `g p` may follow. */
const FOLLOWS_WITHIN = 1_000;

/** The keys that work on every page: `g` and a letter go somewhere, `j` and `k` walk through a list, `?` shows them all. */
export function Keys({ onSearch }: { onSearch: () => void }): ReactNode {
  const [isShown, setShown] = useState(false);
  const navigate = useNavigate();
  useEffect(() => {
    let goesSince = 0;
    const pressed = (event: KeyboardEvent): void => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        onSearch();
        return;
      }
      if (event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]')) return;
      const goes = performance.now() - goesSince < FOLLOWS_WITHIN;
      goesSince = 0;
      const place = goes ? PLACES.find(({ key }) => key === event.key) : undefined;
      if (place) void navigate({ to: place.to });
      else if (event.key === 'g') goesSince = performance.now();
      else if (event.key === 'l' && goes) void navigate({ to: '/lost-laptop' });
      else if (event.key === 'j' || event.key === 'k') walk(event.key === 'j' ? 1 : -1);
      else if (event.key === 'Enter') openRow(event.target);
      else if (event.key === '/') {
        event.preventDefault();
        onSearch();
      } else if (event.key === '?') setShown(true);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, [navigate, onSearch]);
  return isShown && <KeysShown onClose={() => setShown(false)} />;
}

function KeysShown({ onClose }: { onClose: () => void }): ReactNode {
  const rows = [
    ['⌘ K', text.keys.search],
    ['j  k', text.keys.walk],
    ['Enter', text.keys.open],
    ...PLACES.map(({ key, word }) => [`g ${key}`, word]),
    ['g l', text.nav.lostLaptop],
    ['?', text.keys.show],
  ] as const;
  return (
    <Dialog title={text.keys.title} onClose={onClose}>
      <dl className="keys">
        {rows.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

/** What a row leads to is the first link in it, or what it unfolds; a row that is a link itself is the browser's. */
function openRow(target: EventTarget | null): void {
  if (!(target instanceof HTMLElement) || !target.matches('[data-row]:not(a)')) return;
  target.querySelector<HTMLElement>('a, summary')?.click();
}

/** Through whatever the page marks as a list's rows. */
function walk(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('main [data-row]')];
  const at = rows.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
  const next = at === -1 ? rows[by === 1 ? 0 : rows.length - 1] : rows[at + by];
  next?.focus();
  next?.scrollIntoView({ block: 'nearest' });
}
