import type { ReactNode } from 'react';
import { useQuery } from '@tanstack/react-query';
import { auditProofQuery } from '../../api/queries.js';
import type { AuditProof } from '../../api/types.js';
import { Dialog } from '../../parts/dialog.js';
import { Loaded, Loading } from '../../parts/loaded.js';
import { Mark } from '../../parts/step-state-mark.js';
import { text } from '../../text/text.js';
import { leafOf, verifyProof, type Verdict } from './verify-proof.js';

/** The proof that an entry is in the log, checked here and shown. */
export function ProofDialog({ entryId, onClose }: { entryId: string; onClose: () => void }): ReactNode {
  const query = useQuery(auditProofQuery(entryId));
  return (
    <Dialog title={text.audit.verifyTitle} onClose={onClose}>
      <div className="stack">
        <p className="dim">{text.audit.verifyMeans}</p>
        <Loaded query={query}>{(proof) => <Checked entryId={entryId} proof={proof} />}</Loaded>
      </div>
    </Dialog>
  );
}

function Checked({ entryId, proof }: { entryId: string; proof: AuditProof }): ReactNode {
  const { data: verdict } = useQuery({
    queryKey: ['audit-entry', 'one', entryId, 'verdict', proof.checkpoint],
    queryFn: () => verifyProof(proof, entryId, window.isSecureContext ? crypto.subtle : null),
    staleTime: Infinity,
  });
  const leaf = leafOf(proof);
  return (
    <>
      <div role="status">{verdict ? <VerdictMark verdict={verdict} index={proof.index} /> : <Loading lines={1} />}</div>
      <p className="small">{text.audit.way(proof.hashes.length)}</p>
      <details className="more" open>
        <summary>{text.audit.sealed}</summary>
        <pre className="plan" tabIndex={0}>
          {leaf === null ? proof.leaf : JSON.stringify(leaf, null, 2)}
        </pre>
      </details>
      <details className="more">
        <summary>{text.audit.checkpoint}</summary>
        <pre className="plan" tabIndex={0}>
          {proof.checkpoint}
        </pre>
      </details>
      <p className="small">
        {text.audit.key}: <code className="long">{proof.key}</code>
      </p>
    </>
  );
}

function VerdictMark({ verdict, index }: { verdict: Verdict; index: number }): ReactNode {
  switch (verdict.kind) {
    case 'proved':
      return <Mark shape="●" tone="good" word={text.audit.verified(index, verdict.size)} />;
    case 'unchecked':
      return <Mark shape="○" tone="waiting" word={text.audit.cannotCheck} />;
    case 'refuted':
      return <Mark shape="▲" tone="bad" word={text.audit.refuted} />;
    case 'bad-signature':
      return <Mark shape="▲" tone="bad" word={text.audit.badSignature} />;
    case 'unreadable':
      return (
        <Mark
          shape="▲"
          tone="bad"
          word={window.isSecureContext ? text.audit.unreadableProof : text.audit.cannotCheck}
        />
      );
  }
}
