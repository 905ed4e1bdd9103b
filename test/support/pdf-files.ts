/** PDF files of our own making, with the tables that readers need. ISO 32000-1. */

export interface PdfOptions {
  /** Points. */
  readonly width: number;
  readonly height: number;
  /** One page for each colour, three numbers from 0 to 1: painted on its left half. */
  readonly pages: readonly string[];
  /** Degrees. */
  readonly turn?: number;
  readonly crop?: readonly number[];
  /** Drawn after the paint. */
  readonly content?: string;
  /** By a password that nobody knows: the check value fits none. */
  readonly encrypted?: boolean;
}

export function pdfFile({ width, height, pages, turn = 0, crop, content = '', encrypted = false }: PdfOptions): Buffer {
  const kids = pages.map((_, i) => `${3 + 2 * i} 0 R`).join(' ');
  const objects = ['<< /Type /Catalog /Pages 2 0 R >>', `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`];
  for (const colour of pages) {
    const box = `/MediaBox [0 0 ${width} ${height}] ${crop ? `/CropBox [${crop.join(' ')}]` : ''} /Rotate ${turn}`;
    objects.push(`<< /Type /Page /Parent 2 0 R ${box} /Contents ${objects.length + 2} 0 R >>`);
    const paint = `${colour} rg 0 0 ${width / 2} ${height} re f ${content}`;
    objects.push(`<< /Length ${paint.length} >>\nstream\n${paint}\nendstream`);
  }
  let text = '%PDF-1.4\n';
  const offsets = objects.map((object, i) => {
    const offset = text.length;
    text += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const hash = '00'.repeat(32);
  const lock = `/Encrypt << /Filter /Standard /V 1 /R 2 /O <${hash}> /U <${hash}> /P -1 >> /ID [<00> <00>]`;
  const trailer = `<< /Size ${objects.length + 1} /Root 1 0 R ${encrypted ? lock : ''} >>`;
  const start = text.length;
  text += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n${trailer}\nstartxref\n${start}\n%%EOF\n`;
  return Buffer.from(text, 'latin1');
}
