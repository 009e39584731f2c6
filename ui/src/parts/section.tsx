import { useId, type ReactNode } from 'react';

interface Props {
  title: string;
  /** How many there are. */
  count?: number | string | undefined;
  acts?: ReactNode;
  children: ReactNode;
}

export function Section({ title, count, acts, children }: Props): ReactNode {
  const id = useId();
  return (
    <section className="section" aria-labelledby={id}>
      <header className="section-head">
        <h2 id={id}>
          {title}
          {count !== undefined && <span className="count"> {count}</span>}
        </h2>
        {acts}
      </header>
      {children}
    </section>
  );
}

interface PageProps {
  title: string;
  sub?: ReactNode;
  acts?: ReactNode;
  children: ReactNode;
}

/** A page's head and body; the title is the window's as well. */
export function Page({ title, sub, acts, children }: PageProps): ReactNode {
  return (
    <>
      <title>{`${title} · Quartermaster`}</title>
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {sub !== undefined && <p className="page-sub">{sub}</p>}
        </div>
        {acts !== undefined && <div className="row page-acts">{acts}</div>}
      </header>
      {children}
    </>
  );
}
