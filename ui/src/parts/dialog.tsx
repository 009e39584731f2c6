import { useEffect, useId, useRef, type ReactNode } from 'react';
import { text } from '../text/text.js';

interface Props {
  title: string;
  /** What it asked for is under way: it stays until that is over. */
  isBusy?: boolean;
  onClose: () => void;
  children: ReactNode;
}

/** A dialog of the browser's own: it keeps the focus inside, closes with Escape, and gives the focus back. */
export function Dialog({ title, isBusy = false, onClose, children }: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    // Otherwise it would be the button that closes.
    dialog.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      // What opened it may be gone, as the button of what was just done.
      const back = opener?.isConnected ? opener : document.getElementById('main');
      if (back instanceof HTMLElement) back.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        if (isBusy) event.preventDefault();
      }}
      onClose={() => {
        // A browser lets nobody prevent a second Escape.
        if (isBusy) dialog.current?.showModal();
        else onClose();
      }}
    >
      <header className="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="plain-button" onClick={onClose} disabled={isBusy} aria-label={text.close}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}
