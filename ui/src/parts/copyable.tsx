import { useState, type ReactNode } from 'react';
import { Button } from '@mantine/core';
import { text } from '../text/text.js';

/** Text to take along. Browsers let pages copy only over TLS, or on this very machine; selected it is with one click everywhere. */
export function Copyable({ value, large }: { value: string; large?: boolean }): ReactNode {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(value);
    setCopied(true);
  };
  return (
    <div className="copyable">
      <code className={large ? 'copyable-text copyable-large' : 'copyable-text'}>{value}</code>
      {window.isSecureContext && (
        <Button variant="default" onClick={() => void copy().catch(() => setCopied(false))}>
          {text.copy}
        </Button>
      )}
      <span className="small dim" role="status">
        {isCopied && text.copied}
      </span>
    </div>
  );
}
