/** A hamlet's id from its name: "Xóm Khe Cốc" is khe-coc. */
const KIND = /^(xóm|thôn|bản|làng|ấp|tổ dân phố|khu phố|tổ)\s+/iu;
const MARKS = /\p{M}/gu;
const MAX = 63;

export function siteId(name: string): string {
  return name
    .normalize("NFC")
    .trim()
    .replace(KIND, "")
    .toLowerCase()
    .replaceAll("đ", "d")
    .normalize("NFD")
    .replace(MARKS, "")
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, MAX)
    .replace(/^-+|-+$/g, "");
}

export const isSiteId = (text: string): boolean => /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) && text.length <= MAX;
