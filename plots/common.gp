# SPDX-License-Identifier: GPL-2.0-only
# What all figures share. In front of this stand the variables of one figure:
# DATA, OUT (paths without ending), W, H (size), TITLE, SUBTITLE and the figure's own.
# By hand, in the directory of the report:  gnuplot data/exits.gp
#                                           gnuplot -e "FORMAT='png'" data/exits.gp
if (!exists("FORMAT")) FORMAT = "svg"

# Okabe and Ito's colours, safe for colour-blind readers; INK and PAPER are what the page
# exchanges in its dark scheme.
INK = 0x1F1F1F
SOFT = 0x6B6B6B
GRID = 0xDCDCDC
BAND = 0xEEF1F5
PAPER = 0xFFFFFF
ORANGE = 0xE69F00
SKY = 0x56B4E9
GREEN = 0x009E73
BLUE = 0x0072B2
VERMILLION = 0xD55E00
PURPLE = 0xCC79A7
GREY = 0x8C8C8C

set encoding utf8
if (FORMAT eq "png") {
	set terminal pngcairo size 2*W,2*H font "DejaVu Sans,12" fontscale 2 linewidth 2 \
		pointscale 4.2 rounded background rgb "#ffffff" noenhanced
} else {
	set terminal svg size W,H dynamic font "DejaVu Sans,Verdana,sans-serif,16" linewidth 1 \
		rounded background rgb "#ffffff" noenhanced
}
set output OUT.".".FORMAT

# Sizes are pixels of the SVG; the PNG terminal counts in points.
sized(n) = sprintf(",%g", FORMAT eq "png" ? 0.75 * n : n)
F12 = sized(12)
F13 = sized(13)
F14 = sized(14)
F15 = sized(15)
F16 = sized(16)
F19 = sized(19)

# Relative to the canvas: margins are set in pixels of W x H.
px(x) = x / real(W)
py(y) = y / real(H)

set border 3 linecolor rgb INK linewidth 1
set tics nomirror out scale 0.6 textcolor rgb INK
set xtics offset 0,0.4
set grid ytics linecolor rgb GRID linewidth 1 dashtype solid
set style fill solid 1.0 noborder
set style textbox opaque noborder margins 0.5,0.5
set key textcolor rgb INK samplen 1.2 spacing 1.15 noenhanced
set datafile separator whitespace

set label 1001 TITLE at screen px(14),py(H-22) left font F19 textcolor rgb INK front
set label 1002 SUBTITLE at screen px(14),py(H-46) left font F14 textcolor rgb SOFT front

# A part of a plot command that may have nothing to draw: gnuplot runs even an empty iteration
# once. Always followed by another part.
opt(n, part) = n ? part.", " : ""
