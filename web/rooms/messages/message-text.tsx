import type { ReactNode } from 'react';
import { type Piece, piecesOf } from './formatting.ts';

/** A text as WhatsApp shows it. */
export function MessageText({ text }: { text: string }) {
  return <span style={{ whiteSpace: 'pre-wrap' }}>{show(piecesOf(text))}</span>;
}

function show(pieces: Piece[]): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a text have no other name than their place
  return pieces.map((piece, index) => <Shown key={index} piece={piece} />);
}

function Shown({ piece }: { piece: Piece }) {
  switch (piece.kind) {
    case 'text':
      return piece.text;
    case 'bold':
      return <strong>{show(piece.children)}</strong>;
    case 'italic':
      return <em>{show(piece.children)}</em>;
    case 'strike':
      return <s>{show(piece.children)}</s>;
    case 'mono':
      return <code>{show(piece.children)}</code>;
  }
}
