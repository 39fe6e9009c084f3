/** Draws an SVG as PNG in the browser. The SVG is the host's own, without scripts or references. */

/** What browsers draw at most, in pixels of a side and of the whole. */
const LONGEST_SIDE = 16_384;
const LARGEST_AREA = 120_000_000;
const SCALE = 2;

/** Base64 of the PNG; null where the picture is too large for a browser. */
export async function drawPng(svg: string, width: number, height: number): Promise<string | null> {
  const scale = Math.min(SCALE, LONGEST_SIDE / Math.max(width, height), Math.sqrt(LARGEST_AREA / (width * height)));
  // Below its own size the text can no more be read.
  if (!(scale >= 1)) return null;
  const image = new Image();
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    await new Promise<void>((resolve, reject) => {
      image.onload = () => {
        resolve();
      };
      image.onerror = () => {
        reject(new Error('The picture could not be drawn.'));
      };
      image.src = url;
    });
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext('2d');
    if (context === null) return null;
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    const [, png] = canvas.toDataURL('image/png').split(',');
    return png === undefined || png === '' ? null : png;
  } finally {
    URL.revokeObjectURL(url);
  }
}
