#!/usr/bin/env python3
"""Restores a backup of tuf-ceremony without tuf-ceremony: python3 restore.py BACKUP.age FOLDER
Needs Python 3.8 or later, the program age (https://age-encryption.org), and pgp-words.txt beside this file. It asks for the shares, line by
line as they are on paper, and writes into FOLDER, where it overwrites nothing. restore-without-tuf-ceremony.md explains it."""
import hashlib, io, json, os, subprocess, sys, tarfile

LISTS = [line.lower().split() for line in open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pgp-words.txt"))]
BYTES = [{pair[side]: byte for byte, pair in enumerate(LISTS)} for side in (0, 1)]  # the two lists take turns

def double(byte):  # in the field of 256 elements with x^8 + x^4 + x^3 + x^2 + 1
    return (byte << 1) ^ (0x11D if byte & 0x80 else 0)

def times(a, b):
    product = 0
    for bit in range(7, -1, -1):
        product = double(product) ^ (a if b >> bit & 1 else 0)
    return product

def read_line(number):  # seven bytes and their check; one word that cannot be read is typed as ? and follows from the check
    while True:
        words = input(f"  line {number}: ").lower().split()
        line = [BYTES[place % 2].get(word) for place, word in enumerate(words)]
        wrong = [str(place + 1) for place, byte in enumerate(line) if byte is None]
        if len(line) == 8 and len(wrong) == words.count("?") <= 1:
            for guess in range(256):
                way, check = [guess if byte is None else byte for byte in line], number
                for byte in way:
                    check = double(check) ^ byte
                if check == 0:
                    return way[:7]
        print(f"  {len(line)} words of 8; not on the list: {', '.join(wrong) or 'none, but one is another'}. Type the line again.")

def read_share(backup):
    share = bytes(byte for number in range(1, 7) for byte in read_line(number))
    if share[0] >> 5 != 1 or hashlib.sha256(b"tuf-ceremony/share/1\n" + share[:38]).digest()[:4] != share[38:]:
        sys.exit("The check at the end of this share does not fit: it is no share of version 1, or several words are wrong.")
    if share[2:6] != hashlib.sha256(backup).digest()[:4]:
        sys.exit("This share opens another backup.")
    return share[0] & 31, (share[1] >> 4) + 1, share[6:38]  # its number, how many restore, its data

def combine(points):  # the value at 0 of the polynomials through the points, for each byte
    secret = bytearray(32)
    for x, data in points.items():
        weight = 1
        for other in points.keys() - {x}:
            weight = times(times(weight, other), next(y for y in range(256) if times(other ^ x, y) == 1))
        for place, byte in enumerate(data):
            secret[place] ^= times(weight, byte)
    return secret

def identity(secret):  # as age reads it: Bech32 (BIP 173)
    hrp, bits = "age-secret-key-", int.from_bytes(secret, "big") << 4
    data, check = [bits >> 5 * place & 31 for place in range(51, -1, -1)], 1
    for value in [ord(letter) >> 5 for letter in hrp] + [0] + [ord(letter) & 31 for letter in hrp] + data + [0] * 6:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for bit, mask in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= mask if top >> bit & 1 else 0
    data += [(check ^ 1) >> 5 * place & 31 for place in range(5, -1, -1)]
    return (hrp + "1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[value] for value in data)).upper()

path, folder = sys.argv[1:]
backup, points, needed = open(path, "rb").read(), {}, 1
while len(points) < needed:
    print(f"Share {len(points) + 1} of the {needed} that restore" if points else "The first share")
    index, needed, data = read_share(backup)
    points[index] = data
plain = subprocess.run(["age", "-d", "-i", "-", path], input=identity(combine(points)).encode(), stdout=subprocess.PIPE, check=True)
with tarfile.open(fileobj=io.BytesIO(plain.stdout)) as tar:
    files = {member.name: tar.extractfile(member).read() for member in tar}
for file in json.loads(files["manifest.json"])["files"]:
    if hashlib.sha256(files[file["path"]]).hexdigest() != file["sha256"]:
        sys.exit(f"{file['path']} is not what the manifest says.")
os.umask(0o077)
for name, content in files.items():
    target = os.path.realpath(os.path.join(folder, name))
    if not target.startswith(os.path.realpath(folder) + os.sep):
        sys.exit(f"{name} would be written outside of {folder}.")
    os.makedirs(os.path.dirname(target), exist_ok=True)
    open(target, "xb").write(content)
print(f"{len(files)} files are in {folder}. Those in {folder}/keys are secret.")
