// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorts the lines of a file, with what the standard library has: files, buffers, collections,
// 128-bit numbers, times, threads that cannot be had, and a panic.
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::time::{Duration, Instant};

fn sort_lines(from: &str, to: &str) -> io::Result<usize> {
    let mut lines: Vec<String> = BufReader::new(File::open(from)?)
        .lines()
        .collect::<Result<_, _>>()?;
    lines.sort_unstable();
    let mut out = BufWriter::new(File::create(to)?);
    for line in &lines {
        writeln!(out, "{line}")?;
    }
    out.flush()?;
    Ok(lines.len())
}

fn main() {
    println!("{} lines", sort_lines("/w/unsorted", "/w/sorted").unwrap());
    let mut counts = BTreeMap::new();
    for letter in "hello world".chars() {
        *counts.entry(letter).or_insert(0u128) += u128::MAX / 7;
    }
    println!("{:?} {}", counts.keys().next_back(), counts[&'l']);
    let start = Instant::now();
    std::thread::sleep(Duration::from_millis(20));
    println!("{}", start.elapsed() >= Duration::from_millis(20));
    println!("{}", std::thread::Builder::new().spawn(|| ()).is_err());
    println!(
        "{:?}",
        fs::read("/w/../../etc/passwd").map_err(|e| e.kind())
    );
    fs::rename("/w/sorted", "/w/renamed").unwrap();
    let mut names: Vec<_> = fs::read_dir("/w")
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    names.sort();
    println!("{names:?}");
    let none: Vec<u32> = Vec::new();
    println!("{}", none[std::env::args().count()]);
}
