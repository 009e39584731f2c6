import { useEffect, useId, useRef, type ReactNode } from 'react';
import { text } from '../text/text.js';

interface Props {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A dialog of the browser's own: it keeps the focus inside, closes with Escape, and gives the focus back. */
export function Dialog({ title, onClose, children }: Props): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    dialog.current?.showModal();
    // Otherwise it would be the button that closes.
    dialog.current?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={titleId} onClose={onClose}>
      <header className="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" className="plain-button" onClick={onClose} aria-label={text.close}>
          ✕
        </button>
      </header>
      {children}
    </dialog>
  );
}
