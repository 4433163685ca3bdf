"""The fitted numbers of the chord tracker: written by studies.chord_fit."""

CHORD_TABLE = """
2f/P/uL+9v5i/1P/mv6B/lv/6f7u/k7/DP+k/nn+mv7h/pf+iP+j//f+3/6A/3n+jf/h/l7/Bv/P/vf+Pf6k/nn+mv6B/pf+gf+K/0X/Pf5R
/3n+Yv9I/07/r//u/uL+Pf74/mr/mv6B/gT/6f7P/kz/Pf6k/nn+BP8v/5f+yf9S/wz/Pf6P/3n+Mv8D/4X/6f7P/i//Pf6k/nn+mv6B/pf+
dP+v/+L+Pf5j/3n+gP8T/0n/Vf/u/vf+Pf7k/iz/mv6B/pf+Lf81/3j/Pf4i/3n+PP9S/+L+pP/N/+X+Kf9i/3z+YP/k/mP/Rf/S/gf/Qf6o
/iX/nf6E/pr+bv9a/3j/If9g/3z+Vv+K/zX/vf8B/+X+O/8d/1r/nf6E/kj/7P7S/jv/Qf6o/nz+5v4P/5r+if+s/xz/Qf52/3z+d//6/kf/
/v7S/hf/Qf6o/nz+nf6E/pr+uf+W/xz/Qf6A/3z+Tv89/4D/nv/S/iH/Qf4X/23/nf6E/vr+7P7y/lv/Qf77/nz+Lf9X/5r+r/9W/5H+Qf5u
/w//Jv+E/mT//v7S/mj/Qf6o/nz+nf6E/pr+c//J//v//f8TABsA1//u/+b/v/+f//P//P/2//H/CADv/+T/8P/t//X/AAALAP//9//9//3/
/f/7/wAAAAADAAAA//8AAAcA3f/R//n////g//3/7v/2//3/6P/u////AAD9//z//v8AAP7/2P/d//f////t//7/6//3//b/7P/p//3/AAD5
/wAAAwD3//v/HwAEAP3/AwAmAP7/+v/7/+r/+v/Q/+f/AQDw//X/6v/y//X/+v/o//L//f/2/x4A+v/+//b/IgArAP7/DAD1/wwA+v/+/w4A
AQD//wAAAAAAAAAA//8AAAAA9f/4//n/AwD9/wEA/v////3//P/z//3/AAD+/wAA/P8CAP//+//y//7////6/////v8AAPv/+P/x/wAAAwAA
AAcA/v8AAAMA+f/6//v/AAD+/w0A/v//////7P8CAOb/+/8cAPH/LQDq//7//f/v/yAA/v8IAAAAFAA8AAUA9//4/wIAAAABAP///v/+//7/
+/8DAAMAAAD//wAA/////wAA6P8FAAIAAAD/////AgD9//3/AgD5////AAATAP//BgD+/wgA9f/9/w8ABAD6/wAABgD9/wMA9//1/wkAAAAC
AAAA/P/+//7/2P8CAPj/AAAFAP//EwAQAAAAt//X/+7/+f/l/+T/8//6/+L/+P/L/w0A/v8CABAA8P/+/wIA1P/z//3/AAD1//3/AQD///j/
/P///wAAAAAAAAAAAAAEAAAAxP/f//7////1//j/+f////b/8////xAAAAAAAP7/AAD//wAA6v/Y//7////1//j/9v///xAA1P/4//7/AAD2
//z//P/+//v/1//u///////2//z//f8AAPj/2f/3/+7//v/u//r/7//n/+X/2P/L//T/AwD1//z/5//1//X/3f8SAP7////9//z//v////3/
AQD+/wAAAAAIAAAAAAAAAAIA7v/v//v/AAD5////9f/4//3/2//0//7/AAD/////+v/+/wcA8//w//n/AAD9//7/+v8BAP//9f////3/AAAA
AP//AAD//wAA7P/w//H/AAD5////+f/9//z/JAAgAPT//f/4/x4A4v/5/wQA8/8ZAPv/BQAqAO7/MwDr/+r/EAAKAPv/BAARAAAADgAGAAEA
AwAUAAQAAAD/////AAAAAAMALQAqAP3/AgDx/wwA9////xUAFQD7////AAD+/wIA//8AAP//JwD///r/BwAmAP7/GgD3/w8AKgD9//3/BwAN
AAAAAQD8/wkAEAAPAP7////3//7/BAD+//P/1v/K/zAA/f/r//f/8P8sAPL/zv/5//X//v/6//T//P/5//r/9v/s//7/AAD3//r/+v////r/
/f/9/wAAAAD//wAA//8AAAAA5P/6/yMA///+//v//v/+//7/9v/y/x0AAAAFAAAA+f8dAP7/3P/7//r////9//n///////7/AAD3////AAD+
/xoA//8AAP//7//5//r/AAD+//7//v//////EwDu/+H/+v8GAPL/zP/Y/y0ACAAZAAcACAALAPv//v/s/zIA/f/y//v/BAD9////+v/9//7/
+P/+/wAAAAD//wAAAAAAAP//xv8CAPT////u//7////w//D/BQDp/wAA///9//7//v8AAP7/zv/x//z/AAD3////9f/6//f/9//s//z/AAD8
/wAA9//9//7/9f/o//r////y////8P/z/wcAvv/W/wsA/f/w//z/9f/3/+//CwDM/wEAAgD4/xUA8v////n/5//j//7/AAAVAP7/+f/9//L/
/v///wMAAAADAAAAAAAAAAcAzP/u//3/AgD5/wUA/f8AAPr/+v/7//z/AAD//////v//////DADi//7/AAD1/wEA+v8AAPz/4P/u////AAD3
//7//f////r/1f/y/wEA///9/wcA//8AAPz/3v8SAOH/AAABAPX/FQDl/+f/3/++/woA///w////4v8dAPH/7v/6//r/BAD+//z//v/+////
9f8IAAAAAAD//wAA//8AAP//5P/3//L/AAD1/wAA/v/+//b/7f8fAP3/AAD///7/AgD8//z/8v/t/xMAAAD5/wAA+v8SAP3/+f/+//j/BwD/
///////+/wAA6P/6//j/AAD9/wAABQD7//j/3v+5//f//P/T/+v/4f/8/+D/BwD2//n/CgAAAPn/8//2//v/2f/w//v/AwD//////P/8//j/
+f/9/wAAAAAAAAAAAAAAAAAAyP/L//7/AwD6/w4A+v/+//P/7f8AAP7/AAD/////AAAAAP//CQD+//3///8CAA0AAQD8/wUA6f8bAP7///8D
AP7/+v/+////6//j/wIAAAD3//j/9v/+//n/2P/q/xEA/v/n//3/8f/3/+3/z//p/xMA///5//X/9f/0//v/1v/v//7/AAD5//3//v8AAPv/
/P/9////AAD//wAA/////wAA7f/x//b/AAABAP7/+/8AAP7/CwD3/wAABAD+/wAABQAKAAMA5//5//r////+//z//v/+//7/8P/+//7/AAD/
//7/AAAAAP//8//0/wcAAAD9////+//8////2v+1/7X/tf/a/7X/tf/Z/7X/tf+1/7X/2f++/77/2f++/77/vv/X/77/vv++/77/1/+9/73/
2v+9/73/2f+9/73/vf+9/73/1f/O/87/zv/Y/87/zv/O/9P/zv/O/87/1P+n/6f/p//S/6f/p//P/6f/p//R/6f/1v/B/8H/wf/U/8H/wf/C
/8H/wf/B/83/1f+3/7f/0/+3/7f/t//H/7f/t//P/7f/0/+2/7b/0v+2/7b/z/+2/7b/tv/O/7b/2//D/8P/w//D/9D/w//b/8P/w//D/8P/
r/93/8j/Mv+4/8r/mf+2/3L/tf+J/8f/tP90/8j/sP98/8v/d/+6/7H/nv+4/6r/AgBAAEAAEAAYABAABAA=
"""
