/** Small files of many types, each as its format begins. `bytes` fills a file up to a size without changing its type. */

const ftyp = (brand: string) =>
  Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from(`ftyp${brand}\0\0\0\0isommp42`, 'latin1'), Buffer.alloc(64)]);

const riff = (form: string, rest: Buffer) => {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(4 + rest.length);
  return Buffer.concat([Buffer.from('RIFF'), size, Buffer.from(form), rest]);
};

const ogg = (codec: Buffer) =>
  Buffer.concat([Buffer.from('OggS'), Buffer.alloc(22), Buffer.from([1, codec.length]), codec, Buffer.alloc(32)]);

/** A zip archive whose entries are stored as they are. */
function zip(entries: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const [name, text] of Object.entries(entries)) {
    const path = Buffer.from(name);
    const data = Buffer.from(text);
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(20, 4);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(data.length, 22);
    local.writeUInt16LE(path.length, 26);
    const central = Buffer.alloc(46);
    central.writeUInt32LE(0x02014b50, 0);
    central.writeUInt16LE(20, 4);
    central.writeUInt16LE(20, 6);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(data.length, 24);
    central.writeUInt16LE(path.length, 28);
    central.writeUInt32LE(at, 42);
    parts.push(local, path, data);
    directory.push(central, path);
    at += 30 + path.length + data.length;
  }
  const end = Buffer.alloc(22);
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(directory.length / 2, 8);
  end.writeUInt16LE(directory.length / 2, 10);
  end.writeUInt32LE(size, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, ...directory, end]);
}

function office(part: string, type: string): Buffer {
  return zip({
    '[Content_Types].xml': `<?xml version="1.0"?><Types><Override PartName="/${part}" ContentType="application/vnd.openxmlformats-officedocument.${type}.main+xml"/></Types>`,
    [part]: '<x/>',
  });
}

/** A compound file ([MS-CFB]) whose folder has a root and one stream. */
function compound(stream: string): Buffer {
  const file = Buffer.alloc(512 * 3);
  Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(file);
  file.writeUInt16LE(9, 30);
  file.writeUInt32LE(1, 48);
  file.write('Root Entry\0', 1024, 'utf16le');
  file.write(`${stream}\0`, 1024 + 128, 'utf16le');
  return file;
}

const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);

export const SAMPLES = {
  jpeg: Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), Buffer.alloc(64)]),
  png: PNG,
  gif: Buffer.from('GIF89a\x01\0\x01\0\0\0\0;', 'latin1'),
  webp: riff('WEBP', Buffer.from(`VP8 ${'\0'.repeat(64)}`, 'latin1')),
  animatedWebp: riff('WEBP', Buffer.from(`VP8X\x0a\0\0\0\x02${'\0'.repeat(64)}ANIM`, 'latin1')),
  mp4: ftyp('isom'),
  threeGp: ftyp('3gp4'),
  m4a: ftyp('M4A '),
  mov: ftyp('qt  '),
  heic: ftyp('heic'),
  mp3: Buffer.concat([Buffer.from('ID3\x04\0\0\0\0\0\0', 'latin1'), Buffer.from('fffb9000', 'hex'), Buffer.alloc(413)]),
  aac: Buffer.concat([Buffer.from('fff15080', 'hex'), Buffer.alloc(64)]),
  amr: Buffer.from('#!AMR\n<\x08', 'latin1'),
  opus: ogg(Buffer.from('OpusHead\x01\x01', 'latin1')),
  vorbis: ogg(Buffer.from('\x01vorbis\0\0', 'latin1')),
  wav: riff('WAVE', Buffer.from(`fmt ${'\0'.repeat(32)}`, 'latin1')),
  pdf: Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n', 'latin1'),
  docx: office('word/document.xml', 'wordprocessingml.document'),
  xlsx: office('xl/workbook.xml', 'spreadsheetml.sheet'),
  pptx: office('ppt/presentation.xml', 'presentationml.presentation'),
  doc: compound('WordDocument'),
  xls: compound('Workbook'),
  ppt: compound('PowerPoint Document'),
  msi: compound('Something else'),
  zip: zip({ 'a.txt': 'a' }),
  text: Buffer.from('Schöne Grüße, 你好\n'),
  html: Buffer.from('<!doctype html><script>alert(1)</script>'),
  latin: Buffer.from('Sch\xf6ne Gr\xfc\xdfe', 'latin1'),
  binary: Buffer.from([0, 1, 2, 3, 250, 251, 252, 0, 7]),
} as const;

/** A sample made as long as told: what stands behind its beginning says nothing. */
export function sized(sample: Buffer, size: number): Buffer {
  return Buffer.concat([sample, Buffer.alloc(size - sample.length)]);
}
